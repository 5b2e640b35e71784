import type { Engine, Mark, Session } from '../../../lib/journal/engine/engine.ts';
import { EngineJournal } from '../../../lib/journal/engine/engine-journal.ts';
import { draft, Recorder } from '../../contract/journal-contract.ts';
import { until } from '../../support/server.ts';

const END: Mark = { era: 1, epoch: 'e', offset: 0, link: '0' };

/** It has nothing new, and takes nothing. */
class Idle implements Session {
  #end!: (why: Error) => void;
  readonly ended = new Promise<never>((_, reject) => {
    this.#end = reject;
  });

  constructor() {
    this.ended.catch(() => {});
  }

  async take({ batch }: Parameters<Session['take']>[0]): Promise<Mark> {
    return batch ? this.ended : END;
  }

  async stillHas(): Promise<boolean> {
    return true;
  }

  next(): Promise<never> {
    return this.ended;
  }

  async previous(): Promise<[]> {
    return [];
  }

  end(): void {
    this.#end(new Error('ended'));
  }
}

async function open(connect: Engine['connect']) {
  const journal = new EngineJournal({ name: 'Test', connect }, 'node');
  const sink = new Recorder();
  await journal.open(sink, 0);
  return { journal, sink };
}

describe('closing ends', () => {
  test('while a connection is made again', async () => {
    const first = new Idle();
    let connected: ((session: Session) => void) | undefined;
    const { journal } = await open(
      jest
        .fn<Promise<Session>, []>()
        .mockResolvedValueOnce(first)
        .mockImplementationOnce(
          () =>
            new Promise((resolve) => {
              connected = resolve;
            }),
        ),
    );
    first.end();
    await until(() => connected !== undefined);
    const closed = journal.close();
    await new Promise((done) => setImmediate(done));
    const next = new Idle();
    connected?.(next);
    await closed;
    await expect(next.ended).rejects.toThrow('ended');
  });

  describe('without the engine', () => {
    beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
    afterEach(() => jest.useRealTimers());

    const close = async ({ journal }: Awaited<ReturnType<typeof open>>) => {
      let closed = false;
      void journal.close().then(() => {
        closed = true;
      });
      await jest.advanceTimersByTimeAsync(15_000);
      return closed;
    };

    test('that takes nothing and says nothing', async () => {
      const opened = await open(async () => new Idle());
      opened.journal.append(draft('POST:/a'));
      expect(await close(opened)).toBe(true);
      expect(opened.sink.codes).toEqual(['JOURNAL_WRITE_FAILED']);
    });

    test('to which no connection comes about', async () => {
      const first = new Idle();
      const never = new Promise<Session>(() => {});
      const connect = jest.fn<Promise<Session>, []>().mockResolvedValueOnce(first).mockReturnValue(never);
      const opened = await open(connect);
      first.end();
      await jest.advanceTimersByTimeAsync(10);
      expect(connect).toHaveBeenCalledTimes(2);
      expect(await close(opened)).toBe(true);
    });
  });
});
