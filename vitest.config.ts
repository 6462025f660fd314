import { defineConfig } from 'vitest/config';
import { Summary } from './test/support/summary.js';

/** These start no processes and leave nothing in a module: files of a worker share what they import, a third of their time. */
const SHARED = [
  'capture',
  'conformance',
  'conntrack',
  'control',
  'dataplane',
  'docs',
  'health',
  'library',
  'netlink',
  'persistence',
  'proc',
  'schedulers',
  'stats',
  'support',
  'tools',
  'trace',
  'ulvsadm',
  'wire',
].map((folder) => `test/${folder}/**/!(v8-flags).test.ts`); // v8-flags replaces a module

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
      { extends: true, test: { name: 'alone', include: ['test/**/*.test.ts'], exclude: SHARED } },
    ],
    reporters: ['default', new Summary()],
    // End-to-end files make namespaces of their own names, so they may run side by side. They wait much: three files for two cores.
    maxWorkers: 3,
    // A test that waits says itself what it waited for (Program.says: 60 s); these limits end one that hangs.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Real processes and timers: on a machine that pauses, one in thousands fails. A second try is named in the summary.
    retry: process.env.CI ? 1 : 0,
  },
});
