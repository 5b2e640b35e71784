import express from 'express';
import { bundle } from './bundle.js';
import { log } from './log.js';
import { ginger } from './plugins/ginger.js';
import { kimchi } from './plugins/kimchi.js';
import { answerError, Refusal } from './refusal.js';

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
};

/** An ordinary Express app. Nothing in it publishes anything: what its handlers do is announced by itself. */
export async function createApp(live, options) {
  const files = await bundle();
  const app = express();
  const machines = kimchi(live, options);
  app.disable('x-powered-by');
  app.use((_request, response, next) => {
    response.set(HEADERS);
    next();
  });
  app.use(express.json({ limit: '16kb' }));
  app.use('/plugins/kimchi', refuseOtherSites, machines.router);
  app.use('/plugins/ginger', refuseOtherSites, ginger().router);
  app.use('/logs', log(live));
  app.use((request, response, next) => {
    const file = request.method === 'GET' && files.get(request.path);
    if (!file) return next(new Refusal(404, 'There is nothing here.'));
    response.type(file.type).set('Cache-Control', 'no-cache').send(file.content);
  });
  app.use(answerError);
  return { app, close: machines.close };
}

/** The demo has no login, so no other site's page may act through a visitor's browser. */
function refuseOtherSites(request, _response, next) {
  const site = request.headers['sec-fetch-site'];
  if (request.method === 'GET' || !site || site === 'same-origin' || site === 'none') return next();
  next(new Refusal(403, 'Changes are made from this demo’s own pages.'));
}
