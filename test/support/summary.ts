/** A reporter for vitest that repeats the failures at the end, and prints one line with the totals. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** At most so many characters of an error are repeated: the whole error stands further up. */
const REPEATED = 400;

/**
 * Names the tests that needed another try and those that failed, with the error of each try, then
 * prints `N passed, N failed, N skipped` as the last line, for scripts. A file that did not load is
 * a failure, and so is a describe whose hook failed. Who keeps only the end of a log sees the causes.
 */
export class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const one of [module, ...module.children.allSuites()]) {
        if (one.errors().length === 0) continue;
        count.failed++;
        repeat(`did not run: ${module.relativeModuleId}`, one.errors());
      }
      for (const test of module.children.allTests()) {
        count[test.result().state]++;
        const how = outcome(test);
        if (how !== undefined)
          repeat(`${how}: ${module.relativeModuleId}: ${test.fullName}`, test.result().errors ?? []);
      }
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`);
  }
}

/** What is worth a line about a test; undefined if it passed at once. */
function outcome(test: TestCase): string | undefined {
  if (test.result().state === 'failed') return 'failed';
  return test.diagnostic()?.flaky ? 'passed by another try only' : undefined;
}

/** Prints a title and the beginning of each error below it. */
function repeat(title: string, errors: readonly { readonly message: string }[]): void {
  console.log(title);
  for (const { message } of errors) console.log(`  ${message.slice(0, REPEATED).replaceAll('\n', '\n  ')}`);
}
