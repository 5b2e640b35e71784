import http from 'node:http';
import express from 'express';
import session, { MemoryStore } from 'express-session';
import passport from 'passport';
import { type AttachOptions, attach, authorizeWith, CloseCode, type Middleware } from '../../lib/index.ts';
import { afterwards, listen, send } from '../support/server.ts';
import { refusal, subscribe, topicsOf } from '../support/subscriber.ts';

declare module 'express-session' {
  interface SessionData {
    roles: string[];
  }
}

/** An Express app with sessions, and with the routes `/login` and `/logout`. */
async function runApp(options: Partial<AttachOptions> = {}) {
  const store = new MemoryStore();
  const sessions = session({ secret: 'of the test', resave: false, saveUninitialized: false, store });
  const app = express();
  app.use(sessions);
  app.post('/login', (request, response) => {
    request.session.roles = ['staff'];
    response.end();
  });
  app.post('/logout', (request, response) => {
    const { sessionID } = request;
    request.session.destroy(() => {
      live.disconnect((connection) => (connection.request as express.Request).sessionID === sessionID);
      response.end();
    });
  });
  const server = http.createServer(app);
  const live = attach(server, {
    authorize: authorizeWith<express.Request>([sessions], ({ session }) => session.roles ?? false),
    onError: () => {},
    ...options,
  });
  afterwards(() => live.close());
  const port = await listen(server);
  await live.ready;
  return { live, port, store, url: `ws://127.0.0.1:${port}/websockify` };
}

async function login(port: number): Promise<string> {
  const { headers } = await send(port, 'POST', '/login');
  return headers['set-cookie']?.[0]?.split(';')[0] as string;
}

describe('with the app’s own session middleware', () => {
  test('who is logged in gets in with the session’s roles, and who is not does not', async () => {
    const { live, port, url } = await runApp();
    expect(await refusal(url, ['reqcast.v1'])).toMatchObject({ status: 401 });
    const wire = await subscribe(port, ['GET:/a'], '-', { headers: { cookie: await login(port) } });
    live.notify('GET:/a', 1, { audience: ['staff'] });
    await new Promise((resolve) => wire.ws.once('message', resolve));
    expect(topicsOf(wire)).toEqual(['GET:/a 1']);
  });

  test('a logout closes its session’s WebSockets, and they do not get in again', async () => {
    const { port, url } = await runApp();
    const cookie = await login(port);
    const [mine, other] = [
      await subscribe(port, [], '-', { headers: { cookie } }),
      await subscribe(port, [], '-', { headers: { cookie: await login(port) } }),
    ];
    await send(port, 'POST', '/logout', { headers: { cookie } });
    expect(await mine.closed).toMatchObject({ code: CloseCode.unauthorized });
    expect(other.ws.readyState).toBe(other.ws.OPEN);
    expect(await refusal(url, ['reqcast.v1'], { cookie })).toMatchObject({ status: 401 });
  });

  test('a session that ends elsewhere is found when it is authorized again', async () => {
    const { port, store } = await runApp({ reauthorizeMs: 5 });
    const wire = await subscribe(port, [], '-', { headers: { cookie: await login(port) } });
    await new Promise((resolve) => store.clear(resolve));
    expect(await wire.closed).toMatchObject({ code: CloseCode.unauthorized });
  });

  test('a store that fails lets nobody in', async () => {
    const { port, store, url } = await runApp();
    const cookie = await login(port);
    store.get = (_id, give) => give(new Error('on purpose'));
    expect(await refusal(url, ['reqcast.v1'], { cookie })).toMatchObject({ status: 500 });
  });
});

test('Passport’s user is on the request', async () => {
  const passports = new passport.Passport();
  passports.use('header', {
    authenticate(this: passport.StrategyCreatedStatic, request: http.IncomingMessage) {
      const { user } = request.headers;
      if (user) this.success({ id: user });
      else this.fail('who?', 401);
    },
  } as unknown as passport.Strategy);
  const { url, port } = await runApp({
    authorize: authorizeWith<express.Request>(
      [passports.initialize(), passports.authenticate('header', { session: false })],
      ({ user }) => (user as { id: string }).id === 'ada',
    ),
  });
  await subscribe(port, [], '-', { headers: { user: 'ada' } });
  expect(await refusal(url, ['reqcast.v1'], { user: 'bob' })).toMatchObject({ status: 401 });
  expect(await refusal(url, ['reqcast.v1'])).toMatchObject({ status: 401 });
});

describe('a middleware', () => {
  const pass: Middleware = (_request, _response, next) => next();

  async function statusWith(...middleware: Middleware[]): Promise<number> {
    const { url } = await runApp({
      authorize: authorizeWith(middleware, () => true),
      handshakeTimeoutMs: 50,
    });
    return (await refusal(url, ['reqcast.v1'])).status;
  }

  test.each<[string, number, Middleware]>([
    [
      'answers the request',
      401,
      (_request, response) => response.writeHead(302, { Location: '/login' }).end(),
    ],
    ['fails', 500, (_request, _response, next) => next(new Error('on purpose'))],
    [
      'throws',
      500,
      () => {
        throw new Error('on purpose');
      },
    ],
    ['is rejected', 500, () => Promise.reject(new Error('on purpose'))],
    ['goes nowhere', 503, () => {}],
  ])('that %s lets nobody in: %d', async (_name, status, middleware) => {
    expect(await statusWith(pass, middleware, pass)).toBe(status);
  });
});
