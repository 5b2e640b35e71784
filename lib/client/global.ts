import { connect } from './connect.ts';

/** For a plain script tag: `reqcast.connect()`. */
Object.assign(globalThis, { reqcast: { connect } });
