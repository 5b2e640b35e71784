import { fileURLToPath } from 'node:url';
import { compile } from './compile.js';

/** Many subscribers in one process; see there. */
export const subscribers = compile(fileURLToPath(new URL('../fanout/subscribers.c', import.meta.url)));
