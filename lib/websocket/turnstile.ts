/** About 3 ms of handshakes: after so many the rest of the loop has its turn. */
const IN_A_TURN = 32;

/** As long as others arrive, nobody waits for longer. */
const MAX_WAIT_MS = 500;

/**
 * Lets clients in one by one, and when many come at once only after those who are still arriving. Node accepts one
 * connection in a turn of its loop, so with a handshake in each turn the app's own new connections would wait for as
 * many handshakes as there are clients before them.
 */
export class Turnstile<Client> {
  readonly #admit: (client: Client) => void;
  #turning = false;
  /** Somebody has come in this turn of the loop. */
  #arrived = false;
  #waitingSince = 0;
  readonly #waiting: Client[] = [];

  /** @param admit called with each when it is its turn; does not throw */
  constructor(admit: (client: Client) => void) {
    this.#admit = admit;
  }

  /** Admits the client, now or when it is its turn. Who waits is no promise: what lives that long is costly to collect. */
  pass(client: Client): void {
    this.#arrived = true;
    if (!this.#turning) {
      this.#turning = true;
      setImmediate(() => this.#turn());
      this.#admit(client);
      return;
    }
    if (this.#waiting.length === 0) this.#waitingSince = performance.now();
    this.#waiting.push(client);
  }

  #turn(): void {
    const arriving = this.#arrived && performance.now() - this.#waitingSince < MAX_WAIT_MS;
    this.#arrived = false;
    this.#turning = this.#waiting.length > 0;
    if (!this.#turning) return;
    setImmediate(() => this.#turn());
    if (arriving) return;
    for (const client of this.#waiting.splice(0, IN_A_TURN)) this.#admit(client);
  }
}
