import fc from 'fast-check';
import { batchOf } from '../../lib/journal/file/batch.ts';
import { parseLine } from '../../lib/journal/line.ts';
import { Slabs } from '../../lib/journal/waiting.ts';

const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 40 }));

describe('waiting entries', () => {
  it('keep their JSON, whatever is in it and wherever it comes to lie', () => {
    const sized = fc.tuple(text, fc.constantFrom(1, 1_000, 90_000, 300_000));
    fc.assert(
      fc.property(fc.array(sized, { maxLength: 12 }), (texts) => {
        const slabs = new Slabs();
        const jsons = texts.map(([part, length]) =>
          JSON.stringify({ data: part.repeat(length / (part.length || 1)) }),
        );
        const waiting = jsons.map((json) => slabs.put({ time: 1 }, json));
        expect(waiting.map(({ json }) => json)).toEqual(jsons);
        expect(waiting.map(({ bytes }) => bytes)).toEqual(jsons.map((json) => Buffer.byteLength(json)));
      }),
      { numRuns: 200 },
    );
  });

  it('become lines with the offsets that follow, also where those get longer', () => {
    const slabs = new Slabs();
    const drafts = ['ä', '\u2028', '😀', 'x'.repeat(300_000), ''].map((data) => ({ time: 7, data }));
    const waiting = drafts.map((draft) => slabs.put(draft, JSON.stringify(draft)));
    const { entries, bytes } = batchOf(waiting, 'epoch', 97);
    const lines = bytes.toString().split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => parseLine(line))).toEqual(entries.map((entry) => ({ epoch: 'epoch', entry })));
    expect(entries).toEqual(drafts.map((draft, i) => ({ offset: 98 + i, ...draft })));
  });
});
