import { Hub } from '../../lib/hub/hub.ts';
import type { Format, Restart, Sink } from '../../lib/hub/sink.ts';
import type { Entry } from '../../lib/journal/entry.ts';
import { afterwards, until } from '../support/server.ts';

let encoded = 0;
const format: Format<string> = {
  name: 'test',
  encode(seen, { offset }) {
    encoded++;
    return `${seen.map(({ entry }) => entry.topic).join(' ')} @${offset}`;
  },
};

class Reader implements Sink<string> {
  writable = true;
  readonly frames: string[] = [];
  readonly answers: string[] = [];
  ended = false;
  write(frame: string) {
    this.frames.push(frame);
  }
  stuck() {
    this.ended = true;
  }
  failed() {
    this.ended = true;
  }
  restart({ answer, position, topics, overMs }: Restart) {
    this.answers.push([answer, position.offset, ...topics, ...(overMs ? [`over ${overMs}`] : [])].join(' '));
  }
}

const everything = { audience: [] };
let head = 0;

function entries(...topics: string[]): Entry[] {
  return topics.map((topic) => ({ offset: ++head, time: 0, topic }));
}

function newHub(
  windowSize = 100,
  onFault: (fault: unknown) => void = () => {},
  stallTimeoutMs = 60_000,
  shared = false,
) {
  head = 0;
  encoded = 0;
  const hub = new Hub({ windowSize, stallTimeoutMs, loopShare: 1 / 3, shared, onFault });
  hub.reset({ epoch: 'e', offset: 0 });
  return hub;
}

describe('the hub', () => {
  test('sends what arrives in one tick in one frame', async () => {
    const hub = newHub();
    const reader = new Reader();
    hub.add(format, everything, reader);
    hub.deliver(entries('POST:/a'));
    hub.deliver(entries('POST:/b', 'POST:/c'));
    await until(() => reader.frames.length > 0);
    expect(reader.frames).toEqual(['POST:/a POST:/b POST:/c @3']);
  });

  test('encodes once for all subscribers that want the same', async () => {
    const hub = newHub();
    const readers = Array.from({ length: 50 }, () => new Reader());
    for (const reader of readers) hub.add(format, { patterns: ['*:/a', '*:/b'], audience: ['x'] }, reader);
    const other = new Reader();
    hub.add(format, { patterns: ['*:/b', '*:/a'], audience: ['x'] }, other);
    hub.deliver(entries('POST:/a'));
    await until(() => other.frames.length > 0);
    expect(readers.every((reader) => reader.frames[0] === 'POST:/a @1')).toBe(true);
    expect(encoded).toBe(1);
  });

  test('encodes once for groups that see the same, and never shares what they do not', async () => {
    const hub = newHub();
    const readers = ['x', 'y', 'z'].map((name) => {
      const reader = new Reader();
      hub.add(format, { patterns: ['*:/a/**', `*:/${name}`], audience: [name] }, reader);
      return reader;
    });
    hub.deliver(entries('POST:/a/1', 'POST:/a/2'));
    await until(() => readers.every(({ frames }) => frames.length === 1));
    expect(encoded).toBe(1);
    hub.deliver([
      { offset: 3, time: 0, topic: 'POST:/a/3', audience: ['x', 'y'] },
      { offset: 4, time: 0, topic: 'POST:/a/4', audience: ['z', 'y'] },
      { offset: 5, time: 0, topic: 'POST:/z' },
    ]);
    await until(() => readers.every(({ frames }) => frames.length === 2));
    expect(readers.map(({ frames }) => frames[1])).toEqual([
      'POST:/a/3 @5',
      'POST:/a/3 POST:/a/4 @5',
      'POST:/a/4 POST:/z @5',
    ]);
    expect(encoded).toBe(4);
  });

  test('sends only what the patterns name', async () => {
    const hub = newHub();
    const [a, b] = [new Reader(), new Reader()];
    const first = hub.add(format, { patterns: ['POST:/a', '*:/b/**'], audience: [] }, a);
    hub.add(format, everything, b);
    hub.deliver(entries('POST:/a', 'POST:/c', 'DELETE:/b/7', 'DELETE:/a'));
    await until(() => b.frames.length > 0);
    expect(a.frames).toEqual(['POST:/a DELETE:/b/7 @4']);
    first.want({ patterns: ['POST:/c'], audience: [] });
    hub.deliver(entries('POST:/a', 'POST:/c'));
    await until(() => b.frames.length > 1);
    expect(a.frames.slice(1)).toEqual(['POST:/c @6']);
    expect(first.position).toEqual({ epoch: 'e', offset: 6 });
  });

  test('shows an entry with an audience to those in it alone', async () => {
    const hub = newHub();
    const [none, staff, app] = [new Reader(), new Reader(), new Reader()];
    hub.add(format, { audience: [] }, none);
    hub.add(format, { audience: ['staff', 'x'] }, staff);
    hub.add(format, { audience: 'all' }, app);
    hub.deliver([{ offset: 1, time: 0, topic: 'POST:/secret', audience: ['staff'] }]);
    hub.deliver([{ offset: 2, time: 0, topic: 'POST:/nobody', audience: [] }]);
    hub.deliver([{ offset: 3, time: 0, topic: 'POST:/open' }]);
    await until(() => app.frames.length > 0);
    expect(none.frames).toEqual(['POST:/open @3']);
    expect(staff.frames).toEqual(['POST:/secret POST:/open @3']);
    expect(app.frames).toEqual(['POST:/secret POST:/nobody POST:/open @3']);
  });

  test('keeps an entry without a topic from subscribers, and moves their position', async () => {
    const hub = newHub();
    const reader = new Reader();
    const subscriber = hub.add(format, everything, reader);
    hub.deliver([{ offset: 1, time: 0 }]);
    await until(() => subscriber.position.offset === 1);
    expect(reader.frames).toEqual([]);
  });

  test('lets a slow reader catch up in one frame when it wakes', async () => {
    const hub = newHub();
    const [slow, quick] = [new Reader(), new Reader()];
    slow.writable = false;
    const subscriber = hub.add(format, everything, slow);
    hub.add(format, everything, quick);
    for (let i = 1; i <= 3; i++) {
      hub.deliver(entries(`POST:/${i}`));
      await until(() => quick.frames.length === i);
    }
    expect(slow.frames).toEqual([]);
    slow.writable = true;
    subscriber.wake();
    await until(() => slow.frames.length > 0);
    expect(slow.frames).toEqual(['POST:/1 POST:/2 POST:/3 @3']);
  });

  test('tells a reader that fell out of the window each topic that changed, once', async () => {
    const hub = newHub(4);
    const slow = new Reader();
    slow.writable = false;
    const subscriber = hub.add(format, everything, slow);
    hub.deliver(entries('POST:/1', 'POST:/2', 'POST:/3', 'POST:/4', 'POST:/5'));
    slow.writable = true;
    subscriber.wake();
    await until(() => slow.answers.length > 0);
    expect(slow).toMatchObject({
      frames: [],
      answers: ['changed 5 POST:/1 POST:/2 POST:/3 POST:/4 POST:/5'],
    });
  });

  test.each([
    ['nothing', undefined, ['live 5'], []],
    ['a position in the window', { epoch: 'e', offset: 3 }, ['replayed 3'], ['POST:/4 POST:/5 @5']],
    ['the head', { epoch: 'e', offset: 5 }, ['replayed 5'], []],
    [
      'a position before the window',
      { epoch: 'e', offset: 0 },
      ['changed 5 POST:/1 POST:/2 POST:/3 POST:/4 POST:/5'],
      [],
    ],
    ['the future', { epoch: 'e', offset: 6 }, ['resync 5'], []],
    ['another epoch', { epoch: 'f', offset: 3 }, ['resync 5'], []],
  ])('answers a reader that brings %s', (_name, since, answers, frames) => {
    const hub = newHub(4);
    hub.deliver(entries('POST:/1', 'POST:/2', 'POST:/3', 'POST:/4', 'POST:/5'));
    const reader = new Reader();
    hub.add(format, everything, reader).resume(since);
    expect(reader).toMatchObject({ answers, frames });
  });

  describe('where other processes share the history, a reader that comes from one that was ahead', () => {
    function comesAhead() {
      const hub = newHub(4, undefined, undefined, true);
      const reader = new Reader();
      hub.deliver(entries('POST:/1', 'POST:/2'));
      const subscriber = hub.add(format, everything, reader);
      subscriber.resume({ epoch: 'e', offset: 4 });
      return { hub, reader, subscriber };
    }

    test('waits at its own position, and is told what comes after that', async () => {
      const { hub, reader, subscriber } = comesAhead();
      subscriber.expect();
      hub.deliver(entries('POST:/3'));
      await hub.settled();
      expect(subscriber.position).toEqual({ epoch: 'e', offset: 4 });
      hub.deliver(entries('POST:/4', 'POST:/5'));
      await hub.settled();
      subscriber.expect();
      subscriber.expect();
      expect(reader).toMatchObject({ answers: ['replayed 4'], frames: ['POST:/5 @5'] });
    });

    test('is told to refresh when what it waits for does not come', () => {
      const { reader, subscriber } = comesAhead();
      subscriber.expect();
      expect(reader.answers).toEqual(['replayed 4']);
      subscriber.expect();
      expect(reader.answers).toEqual(['replayed 4', 'resync 2']);
      subscriber.expect();
      subscriber.expect();
      expect(reader.answers).toHaveLength(2);
    });

    test('is told to refresh when that history turns out to be lost', async () => {
      const { hub, reader } = comesAhead();
      hub.reset({ epoch: 'f', offset: 9 });
      await hub.settled();
      expect(reader.answers).toEqual(['replayed 4', 'resync 9']);
    });
  });

  describe('a reader that comes to want something while entries are on their way to it', () => {
    function wants(...patterns: string[]) {
      const hub = newHub(6);
      const reader = new Reader();
      const subscriber = hub.add(format, { patterns, audience: [] }, reader);
      subscriber.resume(undefined);
      const want = (patterns: string[], added: string[], since?: number) =>
        subscriber.want(
          { patterns, audience: [] },
          added,
          since === undefined ? since : { epoch: 'e', offset: since },
        );
      const deliver = (...topics: string[]) => {
        hub.deliver(entries(...topics));
        return hub.settled();
      };
      return { reader, subscriber, want, deliver };
    }

    test('is sent what it wanted before the server knew, and nothing else', async () => {
      const { reader, want, deliver } = wants('POST:/a');
      await deliver('POST:/b', 'POST:/a', 'POST:/b', 'POST:/c');
      want(['POST:/a', 'POST:/b'], ['POST:/b'], 1);
      expect(reader).toMatchObject({ answers: ['live 0'], frames: ['POST:/a @4', 'POST:/b @4'] });
      want(['POST:/a', 'POST:/b', 'POST:/c'], ['POST:/c'], 4);
      await deliver('POST:/c');
      expect(reader.frames.slice(2)).toEqual(['POST:/c @5']);
    });

    test('is sent it from the beginning of the stream, if it does not know where it is', async () => {
      const { reader, want, deliver } = wants();
      await deliver('POST:/a');
      want(['POST:/a'], ['POST:/a'], undefined);
      expect(reader.frames).toEqual(['POST:/a @1']);
    });

    test('is not sent again what it wanted before and took back meanwhile', async () => {
      const { reader, want, deliver } = wants('POST:/a');
      await deliver('POST:/a');
      want([], []);
      await deliver('POST:/a');
      want(['POST:/a'], ['POST:/a'], 0);
      expect(reader.frames).toEqual(['POST:/a @1', 'POST:/a @2']);
    });

    test('is told it as changed where it would come after what came after it', async () => {
      const { reader, want, deliver } = wants('POST:/a');
      await deliver('POST:/b', 'POST:/a');
      want(['POST:/a', 'POST:/*'], ['POST:/*'], 0);
      expect(reader).toMatchObject({
        answers: ['live 0', 'changed 2 POST:/b POST:/a'],
        frames: ['POST:/a @2'],
      });
    });

    test('is told it as changed where the window has it no more', async () => {
      const { reader, want, deliver } = wants('POST:/a');
      await deliver('POST:/b', ...Array<string>(6).fill('POST:/c'));
      want(['POST:/a', 'POST:/b'], ['POST:/b'], 0);
      expect(reader.answers.slice(1)).toEqual(['changed 7', 'changed 7 POST:/b']);
    });

    test('is sent it, all together, when it takes something again', async () => {
      const { reader, subscriber, want, deliver } = wants();
      await deliver('POST:/a', 'POST:/b');
      reader.writable = false;
      want(['POST:/b'], ['POST:/b'], 0);
      want(['POST:/b', 'POST:/a'], ['POST:/a'], 0);
      await deliver('POST:/a');
      expect(reader.frames).toEqual([]);
      reader.writable = true;
      subscriber.wake();
      await until(() => reader.frames.length === 2);
      expect(reader.frames).toEqual(['POST:/a POST:/b @2', 'POST:/a @3']);
    });
  });

  test('tells everyone to refresh when another history begins', async () => {
    const hub = newHub();
    const reader = new Reader();
    const subscriber = hub.add(format, everything, reader);
    hub.reset({ epoch: 'f', offset: 40 });
    await hub.settled();
    expect(reader.answers).toEqual(['resync 40']);
    expect(subscriber.position).toEqual({ epoch: 'f', offset: 40 });
  });

  test('takes out a sink that throws, and serves the others', async () => {
    const faults: unknown[] = [];
    const hub = newHub(100, (fault) => faults.push(fault));
    const bad = new Reader();
    bad.write = () => {
      throw new Error('on purpose');
    };
    const good = new Reader();
    hub.add(format, everything, bad);
    hub.add(format, everything, good);
    hub.deliver(entries('POST:/a'));
    await until(() => good.frames.length > 0);
    expect(faults).toHaveLength(1);
    expect([bad.ended, good.ended, hub.size]).toEqual([true, false, 1]);
  });

  test('serves one that it left no more, whatever that asks for', async () => {
    const hub = newHub(100, undefined, 1);
    const reader = new Reader();
    const subscriber = hub.add(format, everything, reader);
    reader.writable = false;
    await until(() => {
      hub.deliver(entries('POST:/a'));
      return reader.ended;
    });
    subscriber.want({ audience: [], patterns: ['*:/a'] });
    subscriber.audience = ['x'];
    reader.writable = true;
    subscriber.resume(undefined);
    expect([reader.frames, reader.answers]).toEqual([[], []]);
  });

  test('sends what comes while others are sent theirs to those who had their turn, too', async () => {
    const hub = newHub();
    const [early, late] = [new Reader(), new Reader()];
    hub.add(format, everything, early);
    hub.add(format, everything, late);
    late.write = (frame) => {
      if (late.frames.push(frame) === 1) hub.deliver(entries('POST:/b'));
    };
    hub.deliver(entries('POST:/a'));
    await hub.settled();
    expect(early.frames).toEqual(['POST:/a @1', 'POST:/b @2']);
  });

  test('is settled when all has what came before, though more comes with each turn', async () => {
    const hub = newHub();
    const reader = new Reader();
    hub.add(format, everything, reader);
    let publishing = true;
    const publish = () => {
      if (!publishing) return;
      hub.deliver(entries('POST:/a'));
      setImmediate(publish);
    };
    publish();
    hub.deliver(entries('POST:/b'));
    await hub.settled();
    publishing = false;
    expect(reader.frames.join(' ')).toContain('POST:/b');
  });

  test('sends nothing after a leave', async () => {
    const hub = newHub();
    const [left, stayed] = [new Reader(), new Reader()];
    const subscriber = hub.add(format, everything, left);
    hub.add(format, everything, stayed);
    hub.deliver(entries('POST:/a'));
    subscriber.leave();
    subscriber.leave();
    await until(() => stayed.frames.length > 0);
    expect(left.frames).toEqual([]);
    expect(hub.size).toBe(1);
  });

  test('splits a long replay into frames, each closed by its position', () => {
    const hub = newHub(5000);
    hub.deliver(entries(...Array.from({ length: 2500 }, (_, i) => `POST:/${i}`)));
    const reader = new Reader();
    hub.add(format, everything, reader).resume({ epoch: 'e', offset: 0 });
    expect(reader.frames.map((frame) => frame.split('@')[1])).toEqual(['1000', '2000', '2500']);
  });

  test('splits a replay of much data into frames of a bounded size', () => {
    const hub = newHub();
    const text = 'x'.repeat(10_000);
    hub.deliver(
      [...Array.from({ length: 20 }, () => text), text.repeat(9), text].map((data, i) => ({
        offset: i + 1,
        time: 0,
        topic: 'POST:/a',
        data,
      })),
    );
    const reader = new Reader();
    hub.add(format, everything, reader).resume({ epoch: 'e', offset: 0 });
    expect(reader.frames.map((frame) => frame.split('@')[1])).toEqual(['6', '12', '18', '20', '21', '22']);
  });

  test('tells a change only to those who may see one of its entries since', () => {
    const hub = newHub(1);
    hub.deliver([
      { offset: 1, time: 0, topic: 'POST:/a' },
      { offset: 2, time: 0, topic: 'POST:/b', audience: ['x', 'staff'] },
      { offset: 3, time: 0, topic: 'POST:/a', audience: ['staff'] },
      { offset: 4, time: 0, topic: 'POST:/c' },
      { offset: 5, time: 0, topic: 'POST:/b', audience: ['staff', 'x'] },
    ]);
    const answerTo = (audience: string[], patterns: string[], offset: number) => {
      const reader = new Reader();
      hub.add(format, { audience, patterns }, reader).resume({ epoch: 'e', offset });
      return reader.answers;
    };
    expect(answerTo([], ['*:/**'], 0)).toEqual(['changed 5 POST:/a POST:/c']);
    expect(answerTo([], ['*:/**'], 1)).toEqual(['changed 5 POST:/c']);
    expect(answerTo(['staff'], ['*:/**'], 1)).toEqual(['changed 5 POST:/a POST:/c POST:/b']);
    expect(answerTo(['staff'], ['*:/b'], 3)).toEqual(['changed 5 POST:/b']);
    expect(answerTo([], ['*:/b'], 3)).toEqual(['changed 5']);
  });

  test('tells a change of a topic that came several times in a row', () => {
    const hub = newHub(1);
    hub.deliver(entries('POST:/a', 'POST:/b', 'POST:/b', 'POST:/b'));
    const reader = new Reader();
    hub.add(format, everything, reader).resume({ epoch: 'e', offset: 2 });
    expect(reader.answers).toEqual(['changed 4 POST:/b']);
  });

  test('says resync when it has forgotten topics that may have changed, or when they are too many', () => {
    const hub = newHub(10);
    hub.deliver(entries(...Array.from({ length: 10_500 }, (_, i) => `POST:/${i}`)));
    const answerTo = (offset: number, patterns: string[]) => {
      const reader = new Reader();
      hub.add(format, { audience: [], patterns }, reader).resume({ epoch: 'e', offset });
      return reader.answers;
    };
    expect(answerTo(499, ['POST:/9000'])).toEqual(['resync 10500']);
    expect(answerTo(500, ['POST:/9000'])).toEqual(['changed 10500 POST:/9000']);
    expect(answerTo(500, ['*:/**'])).toEqual(['resync 10500']);
  });

  test('asks many subscribers to spread their refreshing', async () => {
    const hub = newHub();
    const readers = Array.from({ length: 250 }, () => new Reader());
    for (const reader of readers) hub.add(format, everything, reader);
    hub.reset({ epoch: 'f', offset: 0 });
    await hub.settled();
    expect(readers[0]?.answers).toEqual(['resync 0 over 250']);
  });

  test('writes nothing to a reader that takes nothing, however often history is lost', async () => {
    const hub = newHub();
    const reader = new Reader();
    reader.writable = false;
    const subscriber = hub.add(format, everything, reader);
    for (const epoch of ['f', 'g', 'h']) {
      hub.reset({ epoch, offset: 7 });
      await hub.settled();
    }
    expect(reader.answers).toEqual([]);
    reader.writable = true;
    subscriber.wake();
    await until(() => reader.answers.length > 0);
    expect(reader.answers).toEqual(['resync 7']);
    expect(subscriber.position).toEqual({ epoch: 'h', offset: 7 });
  });

  test('leaves a reader that takes nothing of what it lacks for too long, and no other', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'setTimeout', 'nextTick', 'queueMicrotask'] });
    afterwards(() => jest.useRealTimers());
    const hub = newHub(100, undefined, 1000);
    const [stuck, slow, idle] = [new Reader(), new Reader(), new Reader()];
    const subscribers = [stuck, slow, idle].map((reader) => hub.add(format, everything, reader));
    stuck.writable = false;
    for (let i = 0; i < 11; i++) {
      expect([stuck.ended, hub.size]).toEqual([false, 3]);
      // Now and then it takes what there is.
      slow.writable = i % 5 === 4;
      hub.deliver(entries('POST:/a'));
      await hub.settled();
      jest.advanceTimersByTime(100);
    }
    hub.deliver(entries('POST:/a'));
    await hub.settled();
    expect([stuck.ended, slow.ended, idle.ended, hub.size]).toEqual([true, false, false, 2]);
    stuck.writable = true;
    subscribers[0]?.wake();
    expect(stuck.frames).toEqual([]);
  });

  test('shows what a subscriber lacks to who it is, not to who it was', async () => {
    const hub = newHub();
    const reader = new Reader();
    const subscriber = hub.add(format, { audience: ['staff'] }, reader);
    hub.deliver([{ offset: 1, time: 0, topic: 'POST:/secret', audience: ['staff'] }]);
    subscriber.audience = ['guests'];
    hub.deliver([{ offset: 2, time: 0, topic: 'POST:/party', audience: ['guests'] }]);
    await until(() => reader.frames.length > 0);
    expect(reader.frames).toEqual(['POST:/party @2']);
  });
});
