import { type JournalTraits, journalChecks, type TestHistory } from '../../lib/journal/checks/index.ts';
import { all, draft, Recorder } from '../../lib/journal/checks/recorder.ts';
import type { Entry } from '../../lib/journal/entry.ts';

export { all, draft, Recorder, request } from '../../lib/journal/checks/recorder.ts';

/** The suite that everybody has who writes a journal. */
export function journalContract(
  name: string,
  begin: () => TestHistory | Promise<TestHistory>,
  traits?: JournalTraits,
): void {
  describe(`the ${name} journal`, () => {
    for (const { name, run } of journalChecks(begin, traits)) test(name, run);

    test('gives an entry of another journal an offset of its own', async () => {
      const history = await begin();
      const journal = await history.journal();
      const sink = new Recorder();
      await journal.open(sink, 10);
      const other: Entry = { offset: 7, ...draft('POST:/a') };
      journal.append(other);
      journal.append(draft('POST:/b'));
      await journal.flush();
      expect(sink.calls).toEqual(['reset', 1, 2]);
      expect((await all(journal)).map(({ offset }) => offset)).toEqual([2, 1]);
      await journal.close();
      await history.end?.();
    });
  });
}
