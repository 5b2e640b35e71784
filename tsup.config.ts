import { defineConfig } from 'tsup';

export default defineConfig([
  {
    entry: {
      index: 'lib/index.ts',
      client: 'lib/client/index.ts',
      redis: 'lib/journal/redis/index.ts',
      nats: 'lib/journal/nats/index.ts',
      'journal-test': 'lib/journal/checks/index.ts',
    },
    format: ['esm', 'cjs'],
    target: 'node20',
    dts: true,
    splitting: false,
  },
  {
    entry: { client: 'lib/client/global.ts' },
    format: ['iife'],
    target: 'es2022',
    platform: 'browser',
    minify: true,
    outExtension: () => ({ js: '.global.js' }),
  },
]);
