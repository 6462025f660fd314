/** `ulvs lab test --all`: many labs, as many at a time as there are cores, a line when each has ended and a table at the end. */
import { availableParallelism } from 'node:os';
import type { Outcome } from './checks/run.js';
import { abreast } from './parallel.js';
import { Report } from './report.js';
import { checkLab, deviceFor, type TestOptions } from './test.js';
import type { LabDevice, Topology } from './topology.js';

interface Ended {
  readonly name: string;
  readonly device: LabDevice;
  readonly checks: number;
  readonly failures: readonly Outcome[];
  readonly ms: number;
}

/** True when every check of every lab passed. `device` left out: packet where the lab allows, else what it needs. */
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
    tell(report, one, `${++n} of ${specs.length}`);
    return one;
  };
  const ended = await abreast(specs, availableParallelism(), work, options.signal);
  summary(report, ended, performance.now() - began);
  return ended.every(({ failures }) => failures.length === 0);
}

/** A lab that does not come up has failed; the others go on. */
async function testOne(spec: Topology, device: LabDevice, options: TestOptions): Promise<Ended> {
  const outcomes: Outcome[] = [];
  const began = performance.now();
  try {
    await checkLab(spec, device, options, (outcome) => outcomes.push(outcome));
  } catch (error) {
    outcomes.push({ name: 'the lab', ok: false, figure: (error as Error).message });
  }
  const failures = outcomes.filter(({ ok }) => !ok);
  return { name: spec.name, device, checks: outcomes.length, failures, ms: Math.round(performance.now() - began) };
}

function tell(report: Report, { name, device, checks, failures, ms }: Ended, position: string): void {
  const passed = checks - failures.length;
  report.json({ lab: name, device, passed, failed: failures.length, ms, failures });
  const figure = `${passed} of ${checks} checks in ${(ms / 1000).toFixed(1)} s`;
  report.line(failures.length === 0, `[${position}]`.padEnd(11) + name.padEnd(28), figure);
  for (const failure of failures) report.say(`             ${failure.name}: ${failure.figure}`);
}

function summary(report: Report, ended: readonly Ended[], ms: number): void {
  const passed = ended.filter(({ failures }) => failures.length === 0).length;
  const checks = ended.reduce((sum, one) => sum + one.checks, 0);
  report.json({ labs: ended.length, passed, failed: ended.length - passed, checks, ms: Math.round(ms) });
  report.say(
    `\n${'lab'.padEnd(28)}${'devices'.padEnd(9)}${'checks'.padStart(7)}${'failed'.padStart(8)}${'seconds'.padStart(9)}`,
  );
  for (const one of [...ended].sort((a, b) => a.name.localeCompare(b.name))) report.say(row(one));
  report.say(`${passed} of ${ended.length} labs passed, ${checks} checks, in ${(ms / 1000).toFixed(0)} s`);
}

function row({ name, device, checks, failures, ms }: Ended): string {
  const figures = `${String(checks).padStart(7)}${String(failures.length).padStart(8)}${(ms / 1000).toFixed(1).padStart(9)}`;
  return `${name.padEnd(28)}${device.padEnd(9)}${figures}`;
}
