import type { IncomingMessage } from 'node:http';
import { SUBPROTOCOL } from '../protocol/wire.ts';
import type { Connection, Destination, Entrance, Guest } from '../websocket/destination.ts';
import type { SessionContext } from '../websocket/hub-session.ts';
import { LegacySession } from '../websocket/legacy-session.ts';
import { Session } from '../websocket/session.ts';
import { authorized, connect } from './authorized.ts';
import { KeptRequest, shareTexts } from './kept-request.ts';
import type { NormalizedOptions } from './normalize.ts';
import type { SharedTexts } from './shared-text.ts';

const PROTOCOLS = [SUBPROTOCOL, 'base64', 'binary'];

export interface HubDoor extends SessionContext {
  readonly options: NormalizedOptions;
  /** What their requests have in common. */
  readonly texts: SharedTexts;
}

/** The notifications, for one who was authorized. There are many, so what they share is one object. */
export class HubDestination implements Destination {
  readonly connection: Connection;
  readonly #door: HubDoor;
  readonly #request: IncomingMessage;

  /** @throws Refusal 401 */
  static find(door: HubDoor, request: IncomingMessage): HubDestination | Promise<HubDestination> {
    return whenThere(
      connectionOf(door, request),
      (connection) => new HubDestination(door, request, connection),
    );
  }

  private constructor(door: HubDoor, request: IncomingMessage, connection: Connection) {
    this.#door = door;
    this.#request = request;
    this.connection = connection;
  }

  get protocols() {
    return PROTOCOLS;
  }

  get preferred() {
    return SUBPROTOCOL;
  }

  get maxMessageBytes() {
    return this.#door.options.maxMessageBytes;
  }

  get maxMessagesPerSecond() {
    return this.#door.options.maxMessagesPerSecond;
  }

  authorize(): Promise<Connection> {
    return connect(this.#door.options.authorize, this.#request);
  }

  open(entrance: Entrance): Guest {
    const Wire = entrance.protocol === SUBPROTOCOL ? Session : LegacySession;
    return new Wire(entrance, this.#door, this.connection.audiences);
  }
}

function connectionOf(
  { options, texts }: HubDoor,
  request: IncomingMessage,
): Connection | Promise<Connection> {
  const { authorize, reauthorizeMs } = options;
  if (!authorize) return new KeptRequest(request, texts);
  if (reauthorizeMs > 0) return connect(authorize, request);
  return whenThere(authorized(authorize, request), (audiences) => {
    shareTexts(request, texts);
    return { request, audiences };
  });
}

/** What `act` makes of a value: at once, if the value is there. */
function whenThere<T, R>(value: T | Promise<T>, act: (value: T) => R): R | Promise<R> {
  return value instanceof Promise ? value.then(act) : act(value);
}
