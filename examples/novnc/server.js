// noVNC behind the app's own login, on the app's own port: a token leads to Xvnc's UNIX socket.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import express from 'express';
import session from 'express-session';
import { attach, authorizeWith } from 'reqcast';
import { runIfMain, serve } from '../serve.js';
import { startDesktop } from './desktop.js';
import { buildPages } from './pages.js';

const POLICY = "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

const random = () => randomBytes(12).toString('base64url');

export async function start({ port, password = process.env.PASSWORD ?? madeUp() }) {
  const pages = await buildPages();
  const desktop = await startDesktop();
  const sessions = session({
    name: 'novnc',
    secret: random(),
    cookie: { httpOnly: true, sameSite: 'lax' }, // and `secure: true` behind https
    resave: false,
    saveUninitialized: false,
  });

  const app = express();
  app.use(sessions, express.urlencoded(), (_request, response, next) => {
    response.set('Content-Security-Policy', POLICY);
    next();
  });
  app.get('/', (request, response) => {
    response.type('html').set('Cache-Control', 'no-store');
    response.send(request.session.isIn ? pages.screen : pages.login());
  });
  app.post('/login', (request, response, next) => {
    if (!isSame(request.body?.password, password)) {
      response.status(401).type('html').send(pages.login('That is not the password.'));
      return;
    }
    // A new session: an id that somebody planted before the login is worth nothing after it.
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.isIn = true;
      response.redirect(303, '/');
    });
  });
  app.post('/logout', (request, response, next) => {
    const { sessionID } = request;
    request.session.destroy((error) => {
      if (error) return next(error);
      // What this session has open, in other windows too, ends with it.
      live.disconnect((connection) => connection.request.sessionID === sessionID);
      response.clearCookie('novnc').redirect(303, '/');
    });
  });
  app.get('/assets/:name', ({ params: { name } }, response, next) => {
    const asset = pages.assets.get(name);
    if (asset) response.type(name).send(asset);
    else next();
  });

  const server = createServer(app);
  const live = attach(server, {
    authorize: authorizeWith([sessions], (request) => request.session.isIn === true),
    proxy: { targets: { desktop: { socketPath: desktop.socketPath } } },
  });
  const { url, close } = await serve({ server, live, port });
  return { url, close: () => close().finally(desktop.close) };
}

function madeUp() {
  const password = random();
  console.log(`the password is ${password}`);
  return password;
}

/** Takes as long for a wrong password as for the right one. */
function isSame(given, expected) {
  const hash = (text) => createHash('sha256').update(String(text)).digest();
  return timingSafeEqual(hash(given), hash(expected));
}

await runIfMain(import.meta.url, start).catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
