import { Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { ReqcastError } from '../protocol/errors.ts';
import { refuseUnclaimed, serveAsRequest } from './unclaimed.ts';

/** What an attachment wants of a server. */
export interface TapMember {
  readonly path: string;
  /** True if upgrade requests to this path are its own. */
  claims(path: string): boolean;
  /** True if it answers the request itself, unless another has taken it; the server's own listeners then do not see it. */
  onRequest(request: IncomingMessage, response: ServerResponse, taken: boolean): boolean;
  onThrow(response: ServerResponse): void;
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** What Node tells a server of a request by; the latter two of one with `Expect`, if anybody listens. */
const REQUESTS: ReadonlySet<string | symbol> = new Set(['request', 'checkContinue', 'checkExpectation']);

type Emit = (this: Server, event: string | symbol, ...args: unknown[]) => boolean;
type ShouldUpgrade = (this: Server, request: IncomingMessage) => boolean;
/** As Node has it from 22 on; 20 has no `shouldUpgradeCallback`. */
type TappableServer = Server & { emit: Emit; shouldUpgradeCallback?: ShouldUpgrade };

/** Node emits no upgrade without a listener for it. */
const placeholder = () => {};

const taps = new WeakMap<Server, Tap>();

/**
 * Lets an attachment see a server's requests first and keep the upgrades to its path to itself. Returns the undo.
 *
 * @throws ReqcastError `PATH_TAKEN`
 */
export function tapServer(server: Server, member: TapMember): () => void {
  const tap = taps.get(server) ?? new Tap(server as TappableServer);
  taps.set(server, tap);
  tap.add(member);
  return () => {
    if (tap.remove(member) === 0) taps.delete(server);
  };
}

/**
 * One wrapper around `emit` for each server, instead of listeners: a listener cannot keep an upgrade from the others
 * (`ws` answers 400 to each path but its own, socket.io ends what nobody answers within a second), and libraries
 * that re-order the `request` listeners would move ours.
 */
class Tap {
  readonly #server: TappableServer;
  readonly #members: TapMember[] = [];
  readonly #undo: () => void;
  readonly #emit: Emit;

  constructor(server: TappableServer) {
    this.#server = server;
    this.#emit = server.emit;
    const undoEmit = replace(server, 'emit', this.#wrapper());
    server.on('upgrade', placeholder);
    const undoShould = this.#limitUpgrades();
    this.#undo = () => {
      undoShould();
      server.off('upgrade', placeholder);
      undoEmit();
    };
  }

  add(member: TapMember): void {
    if (this.#members.some(({ path }) => path === member.path))
      throw new ReqcastError(
        'PATH_TAKEN',
        `Option path is ${member.path}, which another attachment has on this server: give each its own path.`,
      );
    this.#members.push(member);
  }

  remove(member: TapMember): number {
    const at = this.#members.indexOf(member);
    if (at < 0) return this.#members.length;
    this.#members.splice(at, 1);
    if (this.#members.length === 0) this.#undo();
    return this.#members.length;
  }

  #wrapper(): Emit {
    const tap = this;
    return function emit(this: Server, event, ...args) {
      if (REQUESTS.has(event))
        return tap.#request(this, event, args[0] as IncomingMessage, args[1] as ServerResponse);
      if (event === 'upgrade') return tap.#upgrade(this, args as [IncomingMessage, Duplex, Buffer]);
      return tap.#emit.call(this, event, ...args);
    };
  }

  #request(
    server: Server,
    event: string | symbol,
    request: IncomingMessage,
    response: ServerResponse,
  ): boolean {
    // With an `Expect` it is the app's, whose listener answers it or emits it as a request.
    let taken = event !== 'request';
    for (const member of this.#members) taken = member.onRequest(request, response, taken) || taken;
    if (taken && event === 'request') return true;
    try {
      return this.#emit.call(server, event, request, response);
    } catch (error) {
      for (const member of this.#members) member.onThrow(response);
      throw error;
    }
  }

  #upgrade(server: Server, args: [IncomingMessage, Duplex, Buffer]): boolean {
    const [request, socket, head] = args;
    const member = this.#claimant(request);
    if (member) {
      member.onUpgrade(request, socket, head);
      return true;
    }
    if (this.#othersListen()) {
      refuseUnclaimed(request, socket);
      return this.#emit.call(server, 'upgrade', ...args);
    }
    if (this.#members.length === 0) return this.#emit.call(server, 'upgrade', ...args);
    return serveAsRequest(this.#server, ...args);
  }

  #claimant(request: IncomingMessage): TapMember | undefined {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return undefined;
    const path = request.url?.split('?')[0] ?? '';
    return (
      this.#members.find((member) => member.path === path) ??
      this.#members.find((member) => member.claims(path))
    );
  }

  #othersListen(): boolean {
    return this.#server.listeners('upgrade').some((listener) => listener !== placeholder);
  }

  /** Where Node can be asked to (from 22 on), upgrades that nobody wants stay ordinary requests. */
  #limitUpgrades(): () => void {
    const before = this.#server.shouldUpgradeCallback;
    if (before === undefined) return () => {};
    const tap = this;
    return replace(this.#server, 'shouldUpgradeCallback', function (this: Server, request) {
      return tap.#claimant(request) !== undefined || (tap.#othersListen() && before.call(this, request));
    } as ShouldUpgrade);
  }
}

/** Sets a property for a while; undone only if it is still what was set. */
function replace<K extends 'emit' | 'shouldUpgradeCallback'>(
  server: TappableServer,
  name: K,
  value: NonNullable<TappableServer[K]>,
): () => void {
  const before = Object.getOwnPropertyDescriptor(server, name);
  Object.defineProperty(server, name, {
    value,
    configurable: true,
    writable: true,
    enumerable: !!before?.enumerable,
  });
  return () => {
    if (server[name] !== value) return;
    if (before) Object.defineProperty(server, name, before);
    else delete (server as Partial<TappableServer>)[name];
  };
}

/** The server on which a request came in, for middleware that was given none. */
export function serverOf(request: IncomingMessage): HttpServer | undefined {
  const server = (request.socket as { server?: unknown }).server;
  return server instanceof HttpServer || typeof (server as HttpServer | undefined)?.emit === 'function'
    ? (server as HttpServer)
    : undefined;
}
