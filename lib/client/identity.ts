import { bytesOf } from './bytes.ts';

/** Who this connection is to the server, for telling what its own requests caused. */
export interface Identity {
  /** What the page's requests say in `Reqcast-Client`: 128 random bits. */
  readonly name: string;
  /** What the server makes of the name and sends to all; nothing in insecure contexts, which cannot compute it. */
  mark?: string;
}

export function createIdentity(): Identity {
  const identity: Identity = { name: crypto.getRandomValues(new Uint32Array(4)).join('-') };
  crypto.subtle?.digest('SHA-256', bytesOf(identity.name)).then((hash) => {
    identity.mark = btoa(String.fromCharCode(...new Uint8Array(hash))).slice(0, 22);
  });
  return identity;
}
