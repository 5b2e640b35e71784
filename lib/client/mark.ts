import { bytesOf } from './bytes.ts';

/** What the server makes of a page's name and sends to all, as a line; nothing in insecure contexts, which cannot compute it. */
export function markOf(name: string): Promise<string> | undefined {
  return crypto.subtle
    ?.digest('SHA-256', bytesOf(name))
    .then((hash) => `~${btoa(String.fromCharCode(...new Uint8Array(hash))).slice(0, 22)}`);
}
