import { randomBytes } from 'node:crypto';
import type { ReqcastError } from '../../protocol/errors.ts';
import type { Draft } from '../entry.ts';
import { Outbox } from '../outbox.ts';
import { jsonLine, type Start } from './host-wire.ts';

/** So much is under way to the owner at most, and said again to the next one if it is not in the journal. */
const MAX_SENT_CHARACTERS = 1024 * 1024;

/** A draft that was said to an owner and was not seen in the journal yet. */
interface Sent {
  readonly seq: number;
  readonly json: string;
}

/** What this process writes: each draft once, whoever the owner is and however often that changes. */
export class Dispatch {
  /** This process, as long as it lives. */
  readonly writer = randomBytes(9).toString('base64url');
  readonly #outbox: Outbox;
  #sent: Sent[] = [];
  #characters = 0;
  #seq = 0;
  #say: ((text: string) => void) | undefined;
  #scheduled = false;

  constructor(place: string, fault: (error: ReqcastError) => void) {
    this.#outbox = new Outbox(() => place, fault);
  }

  /** How many entries were accepted and are not in the journal. */
  get pending(): number {
    return this.#outbox.pending;
  }

  get lost(): number {
    return this.#outbox.lost;
  }

  /** What is accepted within a turn of the event loop leaves together. */
  accept(draft: Draft): void {
    this.#outbox.accept(draft);
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#sayMore();
    });
  }

  /** An owner listens: says what it does not have, and goes on. */
  begin({ accepted }: Start, say: (text: string) => void): void {
    this.#say = say;
    const again = this.#sent.filter(({ seq }) => seq > accepted);
    if (again.length > 0) say(again.map(appendLine).join(''));
    this.#sayMore();
  }

  /** Nobody listens. */
  end(): void {
    this.#say = undefined;
  }

  #sayMore(): void {
    if (!this.#say) return;
    let text = '';
    while (this.#outbox.size > 0 && this.#characters < MAX_SENT_CHARACTERS)
      for (const { json } of this.#outbox.take(MAX_SENT_CHARACTERS - this.#characters)) {
        const sent = { seq: ++this.#seq, json };
        this.#sent.push(sent);
        this.#characters += json.length;
        text += appendLine(sent);
      }
    if (this.#outbox.overflowed()) text += jsonLine({ lost: true });
    if (text !== '') this.#say(text);
  }

  /** All up to this number is in the journal, or was refused. */
  settle(seq: number): void {
    let count = 0;
    for (; this.#sent[count] && (this.#sent[count] as Sent).seq <= seq; count++)
      this.#characters -= (this.#sent[count] as Sent).json.length;
    if (count === 0) return;
    this.#sent.splice(0, count);
    this.#outbox.settle(count);
    this.#sayMore();
  }

  /** Resolves when all that was accepted is settled, or at the next `release`. */
  flushed(): Promise<void> {
    return this.#outbox.flushed();
  }

  /** It was reported that entries wait: nobody waits with them. */
  release(): void {
    this.#outbox.release();
  }
}

function appendLine({ seq, json }: Sent): string {
  return `{"append":${json},"seq":${seq}}\n`;
}
