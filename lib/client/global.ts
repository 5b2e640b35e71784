import { connect } from './connect.ts';

/** For a plain script tag: `reqcast.connect()`. */
(globalThis as { reqcast?: object }).reqcast = { connect };
