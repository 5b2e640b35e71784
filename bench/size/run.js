// What a page loads of each client: bundled and minified by esbuild, then compressed as servers do it.
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { Figure } from '../support/figure.js';
import { report } from '../support/report.js';

/** What a page writes to have the client. */
const RIVALS = {
  reqcast: `export { connect } from '../../dist/client.js'`,
  partysocket: `export { WebSocket } from 'partysocket'`,
  'socket.io-client': `export { io } from 'socket.io-client'`,
  'reconnecting-websocket': `export { default } from 'reconnecting-websocket'`,
};
const resolveDir = fileURLToPath(new URL('.', import.meta.url));

async function minified(contents) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
  });
  return outputFiles[0].contents;
}

const about = { unit: 'bytes', better: 'less' };
const compressed = new Figure({
  title: 'the client, minified and brotli',
  ...about,
  targets: [{ most: 2000 }],
});
const plain = new Figure({ title: 'the client, minified', ...about });
// The same in every round, so there is one.
for (const [name, contents] of Object.entries(RIVALS)) {
  const code = await minified(contents);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
  compressed.add(name, brotliCompressSync(code, quality).length);
  plain.add(name, code.length);
}
report('size', [compressed, plain]);
