/**
 * Builds the console's page into dist/console: one script, one style sheet, no file from elsewhere.
 * The names are fixed, since `ulvs replay --view` puts both into one file.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  logLevel: 'warn',
  build: {
    outDir: '../dist/console',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: false,
    rollupOptions: { output: { entryFileNames: 'console.js', assetFileNames: 'console[extname]' } },
  },
});
