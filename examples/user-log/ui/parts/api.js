import { actingAs } from './acting.js';

/** Fetches JSON as the chosen demo user. Throws an Error with a sentence that can be shown. */
export async function api(method, path, body) {
  const headers = { Accept: 'application/json', 'X-Demo-User': actingAs() };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: 'no-store' });
  } catch (cause) {
    throw new Error('The server cannot be reached.', { cause });
  }
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) throw new Error(answer?.error ?? `The server answered ${response.status}.`);
  return answer;
}
