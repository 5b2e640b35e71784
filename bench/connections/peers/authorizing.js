import { start as startReqcast } from './reqcast.js';

const audiences = ['users'];

/** The same with users: whose cookie is no session's does not get in. */
export const start = () =>
  startReqcast({ authorize: ({ headers }) => (headers.cookie?.startsWith('sid=') ? audiences : false) });
