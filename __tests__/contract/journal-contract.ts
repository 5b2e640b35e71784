import { type JournalTraits, journalChecks, type TestHistory } from '../../lib/journal/checks/index.ts';

export { all, draft, Recorder, request } from '../../lib/journal/checks/recorder.ts';

/** The suite that everybody has who writes a journal. */
export function journalContract(
  name: string,
  begin: () => TestHistory | Promise<TestHistory>,
  traits?: JournalTraits,
): void {
  describe(`the ${name} journal`, () => {
    for (const { name, run } of journalChecks(begin, traits)) test(name, run);
  });
}
