import { WebSocket as NodeWebSocket } from 'ws';
import { connect } from '../../lib/client/index.ts';
import { HUB_TOKEN } from '../../lib/protocol/wire.ts';
import { connectFake, FakeSocket, openPage, setGlobal } from './stage.ts';

const TOKEN = Buffer.from(HUB_TOKEN).toString('base64url');

const announce = (topic: string) => FakeSocket.last.say(`${topic}\n@e:1\n`);

function connectLive() {
  const live = connectFake();
  FakeSocket.last.open();
  FakeSocket.last.say('@e:0 live\n');
  return live;
}

describe('the URL', () => {
  test.each([
    ['https://app.example/ui/#users', undefined, `wss://app.example/websockify?token=${TOKEN}`],
    ['http://app.example:8080/', undefined, `ws://app.example:8080/websockify?token=${TOKEN}`],
    ['https://app.example/ui/x', 'live?a=1', `wss://app.example/ui/live?a=1&token=${TOKEN}`],
    ['https://app.example/', '//other.example/x?token=dm0', 'wss://other.example/x?token=dm0'],
    ['https://app.example/', 'ws://other.example/x', `ws://other.example/x?token=${TOKEN}`],
  ])('on %s, given %s, is %s', (href, url, expected) => {
    openPage(href);
    connectFake({ url });
    expect(FakeSocket.last.url).toBe(expected);
  });

  test('has the token that is given', () => {
    connectFake({ token: 'dm0' });
    expect(FakeSocket.last.url).toBe('ws://host/websockify?token=dm0');
  });

  test('must be a whole one outside a page', () => {
    expect(() => connectFake({ url: undefined })).toThrow('URL');
  });
});

describe('the WebSocket class', () => {
  test('is asked for where there is none', () => {
    setGlobal('WebSocket', undefined);
    expect(() => connect({ url: 'ws://host/' })).toThrow('give a WebSocket');
  });

  test('is the global one unless given', () => {
    setGlobal('WebSocket', NodeWebSocket);
    const live = connect({ url: 'ws://127.0.0.1:1/' });
    expect(live.state).toBe('connecting');
    live.close();
    expect(live.state).toBe('closed');
  });
});

describe('addNotificationListener', () => {
  test('is called with the topic, for that one alone', () => {
    const live = connectLive();
    const listener = jest.fn();
    const off = live.addNotificationListener('POST:/a', listener);
    announce('POST:/a');
    announce('POST:/a/b');
    expect(listener.mock.calls).toEqual([['POST:/a']]);
    off();
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('is called with its topic when everything has to be refreshed', () => {
    const live = connectLive();
    const listener = jest.fn();
    live.addNotificationListener('POST:/a', listener);
    FakeSocket.last.say('@f:0 resync\n');
    expect(listener.mock.calls).toEqual([['POST:/a']]);
  });

  test.each(['hashchange', 'popstate'])(
    'ends at %s, if the URL is another one, unless it persists',
    async (name) => {
      const page = openPage();
      const live = connectLive();
      const [passing, lasting] = [jest.fn(), jest.fn()];
      live.addNotificationListener('POST:/a', passing);
      live.addNotificationListener('POST:/b', lasting, true);
      page.dispatch(name);
      await null;
      announce('POST:/a');
      page.location.href += '/7';
      page.dispatch(name);
      await null;
      expect(FakeSocket.last.sent.slice(1)).toEqual(['since e:0\n+POST:/a\n+POST:/b', 'since e:1\n+POST:/b']);
      announce('POST:/a');
      announce('POST:/b');
      expect([passing.mock.calls, lasting.mock.calls]).toEqual([[['POST:/a']], [['POST:/b']]]);
    },
  );

  test('ends with what the Navigation API tells', async () => {
    const page = openPage();
    const navigation = new EventTarget();
    setGlobal('navigation', navigation);
    const live = connectLive();
    live.addNotificationListener('POST:/a', jest.fn());
    await null;
    page.location.href += '/7';
    navigation.dispatchEvent(new Event('currententrychange'));
    await null;
    expect(FakeSocket.last.sent.slice(1)).toEqual(['since e:0\n+POST:/a', 'since e:0']);
  });

  test('ends without any word of it, before the next call', () => {
    const page = openPage();
    const live = connectLive();
    const listener = jest.fn();
    live.addNotificationListener('POST:/a', listener);
    page.location.href += '/7';
    announce('POST:/a');
    expect(listener).not.toHaveBeenCalled();
  });

  test('ends without any word of it, when the next one is added', async () => {
    const page = openPage();
    const live = connectLive();
    live.addNotificationListener('POST:/a', jest.fn());
    page.location.href += '/7';
    live.addNotificationListener('POST:/b', jest.fn());
    await null;
    expect(FakeSocket.last.sent.slice(1)).toEqual(['since e:0\n+POST:/b']);
  });

  test('belongs to the URL at which it was added, whichever event comes late', () => {
    const page = openPage();
    const live = connectLive();
    const listener = jest.fn();
    page.location.href += '/7';
    live.addNotificationListener('POST:/a', listener);
    page.dispatch('hashchange');
    announce('POST:/a');
    expect(listener).toHaveBeenCalledTimes(1);
  });
});

describe('the first connection', () => {
  function loadedWith(serverTiming: unknown) {
    jest
      .spyOn(performance, 'getEntriesByType')
      .mockReturnValue([{ serverTiming }] as unknown as PerformanceEntryList);
  }
  afterEach(() => jest.restoreAllMocks());

  test('resumes from the page load', () => {
    loadedWith([
      { name: 'db', description: '' },
      { name: 'reqcast', description: 'e:41' },
    ]);
    const live = connectFake();
    expect(live.position).toEqual({ epoch: 'e', offset: 41 });
    FakeSocket.last.open();
    expect(FakeSocket.last.sent).toEqual(['since e:41']);
  });

  test('is a new one where nothing tells of the load, as on a page of Jest’s', () => {
    setGlobal('performance', {});
    connectFake();
    FakeSocket.last.open();
    expect(FakeSocket.last.sent).toEqual(['since -']);
  });

  test.each([[undefined], [[]], [[{ name: 'db', description: 'x' }]]])('is a new one with %j', (timing) => {
    loadedWith(timing);
    connectFake();
    FakeSocket.last.open();
    expect(FakeSocket.last.sent).toEqual(['since -']);
  });
});
