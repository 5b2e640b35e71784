import { asking, paging } from './asking.ts';
import { delivery } from './delivery.ts';
import { lifetime } from './lifetime.ts';
import { forgetting, keptRetention, losing, resuming, retention } from './resuming.ts';
import { sharing } from './sharing.ts';
import { type Checks, type JournalTraits, Stage, type TestHistory } from './stage.ts';

/** A check that takes longer waits for what will not come. */
const LIMIT_MS = 15_000;

/** One thing that a journal does. */
export interface JournalCheck {
  /** A fact in the present tense, of which the journal is the subject. */
  readonly name: string;
  /** Rejects with an `AssertionError` if it is not so. */
  run(): Promise<void>;
}

/**
 * All that reqcast relies on in a journal, as checks for any test runner:
 *
 *     for (const { name, run } of journalChecks(() => ({ journal: () => yourJournal(newTable()) }))) test(name, run);
 *
 * Each check has a history of its own, closes what it opened and fails after 15 s at the latest.
 *
 * @param begin begins an empty history
 * @param traits what the journal promises beyond what each one does: with `kept` and `shared` there is more to check
 */
export function journalChecks(
  begin: () => TestHistory | Promise<TestHistory>,
  traits: JournalTraits = {},
): JournalCheck[] {
  const { kept = false, shared = false, losable = false, keepsFewerThan } = traits;
  const bounded = keepsFewerThan !== undefined;
  const checks: Checks = {
    ...delivery,
    ...lifetime,
    ...asking,
    ...(kept ? resuming : forgetting),
    ...(shared && sharing),
    ...(bounded ? retention : paging),
    ...(bounded && kept && keptRetention),
    ...(losable && losing),
  };
  return Object.entries(checks).map(([name, check]) => ({
    name,
    run: async () => {
      const stage = new Stage(await begin(), traits);
      await limited(name, () => perform(stage, check));
    },
  }));
}

async function perform(stage: Stage, check: Checks[string]): Promise<void> {
  try {
    await check(stage);
  } finally {
    await stage.end();
  }
  stage.assertRules();
}

async function limited(name: string, work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `“${name}” was not over after ${LIMIT_MS / 1000} s: something that was waited for did not come, or open, flush, close or a query did not end.`;
    timer = setTimeout(() => reject(new Error(message)), LIMIT_MS);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
