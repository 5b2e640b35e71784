/** The WebSocket's URL: relative to the page, and with a token. @throws TypeError */
export function endpointOf(url: string, token: string): string {
  const endpoint = new URL(url, globalThis.location?.href);
  if (!endpoint.searchParams.has('token')) endpoint.searchParams.set('token', token);
  return endpoint.href.replace(/^http/, 'ws');
}
