/**
 * `ulvs lab test` with several names or --all: tests as many labs at a time as the machine has
 * cores. Prints a line when a lab ends, and a table at the end.
 */
import { availableParallelism } from 'node:os';
import type { Outcome } from './checks/run.js';
import { inParallel } from './parallel.js';
import { Report } from './report.js';
import { checkLab, deviceFor, type TestOptions } from './test.js';
import type { LabDevice, Topology } from './topology.js';

interface LabResult {
  readonly name: string;
  readonly device: LabDevice;
  readonly checks: number;
  readonly failures: readonly Outcome[];
  readonly ms: number;
}

/**
 * Returns true if every check of every lab passed. Without `device` each lab uses packet devices,
 * or what it needs.
 */
export async function testLabs(
  specs: readonly Topology[],
  device: LabDevice | undefined,
  options: TestOptions,
): Promise<boolean> {
  const report = new Report(options.form);
  const began = performance.now();
  let n = 0;
  const work = async (spec: Topology) => {
    const one = await testOne(spec, deviceFor(spec, device), options);
    printResult(report, one, `${++n} of ${specs.length}`);
    return one;
  };
  const results = await inParallel(specs, availableParallelism(), work, options.signal);
  summary(report, results, performance.now() - began);
  return results.every(({ failures }) => failures.length === 0);
}

/** A lab that does not come up counts as failed; the others continue. */
async function testOne(spec: Topology, device: LabDevice, options: TestOptions): Promise<LabResult> {
  const outcomes: Outcome[] = [];
  const began = performance.now();
  try {
    await checkLab(spec, device, options, (outcome) => outcomes.push(outcome));
  } catch (error) {
    outcomes.push({ name: 'lab is up', ok: false, figure: (error as Error).message });
  }
  const failures = outcomes.filter(({ ok }) => !ok);
  return { name: spec.name, device, checks: outcomes.length, failures, ms: Math.round(performance.now() - began) };
}

function printResult(report: Report, { name, device, checks, failures, ms }: LabResult, position: string): void {
  const passed = checks - failures.length;
  report.json({ lab: name, device, passed, failed: failures.length, ms, failures });
  const figure = `${passed} of ${checks} checks in ${(ms / 1000).toFixed(1)} s`;
  report.line(failures.length === 0, `[${position}]`.padEnd(11) + name.padEnd(28), figure);
  for (const failure of failures) report.say(`             ${failure.name}: ${failure.figure}`);
}

function summary(report: Report, results: readonly LabResult[], ms: number): void {
  const passed = results.filter(({ failures }) => failures.length === 0).length;
  const checks = results.reduce((sum, one) => sum + one.checks, 0);
  report.json({ labs: results.length, passed, failed: results.length - passed, checks, ms: Math.round(ms) });
  report.say(
    `\n${'lab'.padEnd(28)}${'devices'.padEnd(9)}${'checks'.padStart(7)}${'failed'.padStart(8)}${'seconds'.padStart(9)}`,
  );
  for (const one of [...results].sort((a, b) => a.name.localeCompare(b.name))) report.say(row(one));
  report.say(`${passed} of ${results.length} labs passed, ${checks} checks, in ${(ms / 1000).toFixed(0)} s`);
}

function row({ name, device, checks, failures, ms }: LabResult): string {
  const figures = `${String(checks).padStart(7)}${String(failures.length).padStart(8)}${(ms / 1000).toFixed(1).padStart(9)}`;
  return `${name.padEnd(28)}${device.padEnd(9)}${figures}`;
}
