import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const UI = new URL('./ui/', import.meta.url);

/** The pages and their scripts, built into memory: `path` to `{ type, content }`. */
export async function bundle() {
  const [pages, assets] = await Promise.all([readPages(), buildAssets()]);
  return new Map([...pages, ...assets]);
}

/** A plugin's UI says `import { connect } from 'reqcast/client'` and leaves the rest to its bundler. */
async function buildAssets() {
  const { outputFiles } = await build({
    absWorkingDir: fileURLToPath(UI),
    entryPoints: ['log.js', 'kimchi.js', 'ginger.js', 'style.css'],
    outdir: fileURLToPath(new URL('assets/', UI)),
    bundle: true,
    splitting: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  return outputFiles.map(({ path, contents }) => {
    const name = path.replaceAll('\\', '/').split('/').pop();
    return [`/assets/${name}`, { type: name.split('.').pop(), content: Buffer.from(contents) }];
  });
}

/** Every page holds `<!-- shell -->`, where the header goes; the link to the page itself is marked. */
async function readPages() {
  const names = (await readdir(UI)).filter((name) => name.endsWith('.html') && name !== 'shell.html');
  const shell = await readFile(new URL('shell.html', UI), 'utf8');
  return Promise.all(
    names.map(async (name) => {
      const path = name === 'index.html' ? '/' : `/${name}`;
      const page = await readFile(new URL(name, UI), 'utf8');
      const header = shell.replace(`class="tab" href="${path}"`, `$& aria-current="page"`);
      return [path, { type: 'html', content: page.replace('<!-- shell -->', header) }];
    }),
  );
}
