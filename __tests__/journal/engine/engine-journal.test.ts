import type { Engine, Mark, Session } from '../../../lib/journal/engine/engine.ts';
import { EngineJournal } from '../../../lib/journal/engine/engine-journal.ts';
import { ReqcastError } from '../../../lib/protocol/errors.ts';
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

describe('an engine that takes nothing', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const refuse = (why: Error) => {
    const session = new Idle();
    session.take = async ({ batch }) => {
      if (!batch) return END;
      for (let turns = 0; turns < 3; turns++) await turn();
      throw why;
    };
    return session;
  };

  test('and gives all the same is an outage, which is told once', async () => {
    const connect = jest.fn(async () => {
      const session = refuse(new Error('no room'));
      session.next = async () => {
        await turn();
        return [] as never;
      };
      return session;
    });
    const { journal, sink } = await open(connect);
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(sink.faults[0]?.message).toMatch('no room');
    expect(connect.mock.calls.length).toBeLessThan(5);
    await journal.close();
  });

  test('is the same as one that gives nothing', async () => {
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    const connect = jest.fn(async () => {
      opened?.journal.append(draft('POST:/a'));
      const session = refuse(new Error('no room'));
      session.take = async () => END;
      session.next = async () => {
        for (let turns = 0; turns < 3; turns++) await turn();
        throw new Error('no reading');
      };
      return session;
    });
    opened = await open(connect);
    const { journal, sink } = opened;
    await until(() => sink.faults.length > 0);
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(connect.mock.calls.length).toBeLessThan(5);
    await journal.close();
  });

  test('any more is an outage, although it would not be opened', async () => {
    const why = new ReqcastError('JOURNAL_OPEN_FAILED', 'not allowed');
    const { journal, sink } = await open(async () => refuse(why));
    journal.append(draft('POST:/a'));
    await journal.flush();
    expect(sink.codes).toEqual(['JOURNAL_UNREACHABLE']);
    expect(journal.stats().waiting).toBe(1);
    await journal.close();
  });
});

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
