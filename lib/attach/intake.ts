import createDebug from 'debug';
import type { Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { MAX_PENDING_ENTRIES } from '../journal/outbox.ts';

const debug = createDebug('reqcast:attach');
const debugEntry = createDebug('reqcast:entry');

/**
 * Entries that came before the journal is open wait in memory: one more than fit into a journal's, which loses that one,
 * says so, and begins a new epoch, as for all that it has no room for.
 */
const MAX_EARLY_ENTRIES = MAX_PENDING_ENTRIES + 1;

/** The one way into the journal, from the attachment's first moment to its last. */
export class Intake {
  readonly #journal: Journal;
  #early: Draft[] | undefined = [];
  #sealed = false;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The journal was opened, or could not be. */
  get settled(): boolean {
    return this.#early === undefined;
  }

  /** Nothing is taken any more. */
  get sealed(): boolean {
    return this.#sealed;
  }

  take(draft: Draft): void {
    if (this.#sealed) return;
    if (debugEntry.enabled) tell(draft);
    if (!this.#early) this.#journal.append(draft);
    else if (this.#early.length < MAX_EARLY_ENTRIES) this.#early.push(draft);
  }

  /** The journal is open: what came before follows. */
  open(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const draft of early) this.#journal.append(draft);
  }

  /** The journal could not be opened. */
  fail(): void {
    const lost = this.#early?.length ?? 0;
    this.#early = undefined;
    if (lost > 0) debug('%d entries had no journal to go to', lost);
  }

  seal(): void {
    this.#sealed = true;
  }
}

/** Which topic came of which request: what somebody wants to know whose page is not called. */
function tell({ topic, audience, request }: Draft): void {
  const what = request ? `${request.method} ${request.url} ${request.status}` : 'by hand';
  debugEntry(
    '%s: %s%s',
    what,
    topic ?? 'not announced',
    audience ? ` for ${audience.join(', ') || 'nobody'}` : '',
  );
}
