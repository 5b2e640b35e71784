import { bytesOf } from './bytes.ts';

/** What the server makes of a page's name and sends to all, as a line; `~` in insecure contexts, which cannot compute it. */
export async function markOf(name: string): Promise<string> {
  const hash = await crypto.subtle?.digest('SHA-256', bytesOf(name));
  return `~${btoa(String.fromCharCode(...new Uint8Array(hash))).slice(0, 22)}`;
}
