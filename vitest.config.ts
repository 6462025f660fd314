import { defineConfig } from 'vitest/config';
import { Summary } from './test/support/summary.js';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
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
