import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Authorize } from './options.ts';

/** A middleware as Express and Connect take it. */
export type Middleware = (
  // biome-ignore lint/suspicious/noExplicitAny: Express's request and response are its own types, not all of which there is here.
  request: any,
  // biome-ignore lint/suspicious/noExplicitAny: the same.
  response: any,
  next: (error?: unknown) => void,
) => unknown;

/**
 * An `authorize` that runs the app's own middleware on the upgrade request first, so that `decide` finds on it what
 * routes find: `authorizeWith([session(…), passport.session()], (request) => request.user?.roles ?? false)`.
 *
 * A middleware that answers the request, as one that asks for a login does, refuses it. Cookies and headers that one
 * sets go nowhere. One that fails, or throws, lets nobody in.
 */
export function authorizeWith<Request extends IncomingMessage = IncomingMessage>(
  middleware: readonly Middleware[],
  decide: (request: Request) => ReturnType<Authorize>,
): Authorize {
  return async (request) => {
    const response = new ServerResponse(request);
    for (const step of middleware) if (!(await passes(step, request, response))) return false;
    return decide(request as Request);
  };
}

function passes(step: Middleware, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve, reject) => {
    response.end = () => {
      resolve(false);
      return response;
    };
    const next = (error?: unknown) => (error ? reject(error) : resolve(true));
    Promise.resolve(step(request, response, next)).catch(reject);
  });
}
