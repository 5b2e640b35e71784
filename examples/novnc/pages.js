import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const UI = new URL('./ui/', import.meta.url);

/** The two pages, and what they load: noVNC as it is on npm, bundled. */
export async function buildPages() {
  const read = (name) => readFile(new URL(name, UI), 'utf8');
  const [login, screen, { outputFiles }] = await Promise.all([
    read('login.html'),
    read('screen.html'),
    build({
      absWorkingDir: fileURLToPath(UI),
      entryPoints: ['screen.js', 'style.css'],
      outdir: 'assets',
      bundle: true,
      minify: true,
      write: false,
      format: 'esm',
      target: 'es2022',
    }),
  ]);
  return {
    login: (refusal = '') => login.replace('<!-- refusal -->', refusal),
    screen,
    assets: new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)])),
  };
}
