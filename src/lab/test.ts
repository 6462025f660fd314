/** `ulvs lab test`: brings up a lab, checks it, and takes it down in any case. */

import { isShared, kindsWith, PLAIN_KIND } from '../device/kinds.js';
import { keepalivedObstacle } from './build/keepalived.js';
import { down, up } from './build/lab.js';
import { rootlessObstacle } from './build/rootless.js';
import { runChecks } from './checks/checks.js';
import { type Outcome, Run, type Sizes } from './checks/run.js';
import { LabError } from './error.js';
import type { Progress } from './load/client.js';
import { type Form, Report } from './report.js';
import type { LabDevice, Topology } from './topology.js';

/**
 * The traffic of a test. 300 requests divide evenly by three realservers; 50 MB are about 35,000
 * segments.
 */
export const SIZES: Sizes = { requests: 300, bytes: 50_000_000, clients: 200, flows: 30 };

/**
 * The traffic of --quick: shows whether the lab works, not how fast. All counts are multiples of 2,
 * 3 and 4.
 */
export const QUICK: Sizes = { requests: 60, bytes: 5_000_000, clients: 24, flows: 12 };

export interface TestOptions {
  readonly form: Form;
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
}

/**
 * Tests one lab and prints the outcomes. Returns true if every check passed. Throws a LabError if
 * the lab does not come up or a tool fails.
 */
export async function testLab(spec: Topology, device: LabDevice, options: TestOptions): Promise<boolean> {
  const report = new Report(options.form);
  const began = performance.now();
  report.say(`lab ${spec.name}, ${device} devices: ${spec.summary}`);
  await checkLab(spec, device, options, (outcome) => report.outcome(outcome), report.progress);
  report.total(`lab ${spec.name} (${device})`, Math.round(performance.now() - began));
  return report.failed === 0;
}

/** Brings up a lab, runs all its checks and takes it down. */
export async function checkLab(
  spec: Topology,
  device: LabDevice,
  { sizes, signal }: TestOptions,
  report: (outcome: Outcome) => void,
  progress: Progress = () => {},
): Promise<void> {
  const why = rootlessObstacle(spec, device) ?? keepalivedObstacle(spec);
  if (why) throw new LabError(why);
  const lab = await up(spec, { device }, signal);
  try {
    await runChecks(new Run(lab, sizes, progress, signal), report, signal);
  } finally {
    await down(lab);
  }
}

/**
 * The device kind that was asked for, or else the first that the topology supports. Throws a
 * LabError if the topology does not support it.
 */
export function deviceFor(spec: Topology, wanted: LabDevice | undefined): LabDevice {
  const wrong = wanted !== undefined && spec.hostStack && !isShared(wanted);
  if (!wrong) return wanted ?? PLAIN_KIND;
  const right = kindsWith(({ shared }) => shared).join(' or ');
  throw new LabError(`lab ${spec.name} needs the host's own network stack: --device ${right}, not ${wanted}`);
}
