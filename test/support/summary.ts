/** A reporter for vitest that prints one line with the totals. */
import type { Reporter, TestModule } from 'vitest/node';

/**
 * Names the tests that needed another try, then prints `N passed, N failed, N skipped` as the last
 * line, for scripts. A file that did not load is a failure, and so is a describe whose hook failed.
 */
export class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const one of [module, ...module.children.allSuites()]) if (one.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        if (test.diagnostic()?.flaky)
          console.log(`passed by another try only: ${module.relativeModuleId}: ${test.fullName}`);
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
  }
}
