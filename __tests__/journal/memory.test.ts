import { memoryJournal } from '../../lib/journal/memory.ts';
import { all, draft, Recorder } from '../contract/journal-contract.ts';

test('an entry whose receiver throws is kept, and so are the next ones', async () => {
  const journal = memoryJournal();
  const sink = new Recorder();
  await journal.open(sink, 10);
  jest.spyOn(sink, 'deliver').mockImplementationOnce(() => {
    journal.append(draft('POST:/b'));
    throw new Error('broken');
  });
  journal.append(draft('POST:/a'));
  expect(sink.codes).toEqual(['CALLBACK_FAILED']);
  expect(sink.topics).toEqual(['POST:/b']);
  expect(await all(journal)).toHaveLength(2);
});
