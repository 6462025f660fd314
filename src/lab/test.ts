/** `ulvs lab test`: a lab is built, checked and taken down again, whatever happens. */

import { isShared, kindsWith, PLAIN_KIND } from '../device/kinds.js';
import { down, up } from './build/lab.js';
import { lacking } from './build/rootless.js';
import { runChecks } from './checks/checks.js';
import { type Outcome, Run, type Sizes } from './checks/run.js';
import { LabError } from './error.js';
import type { Progress } from './load/client.js';
import { type Form, Report } from './report.js';
import type { LabDevice, Topology } from './topology.js';

/** 300 is even over three realservers; 50 MB are some 35,000 segments. */
export const SIZES: Sizes = { requests: 300, bytes: 50_000_000, clients: 200, flows: 30 };

/** To see whether it works, not how fast; all divide by two, three and four. */
export const QUICK: Sizes = { requests: 60, bytes: 5_000_000, clients: 24, flows: 12 };

export interface TestOptions {
  readonly form: Form;
  readonly sizes: Sizes;
  readonly signal: AbortSignal;
}

/** True when every check passed. LabError when the lab does not come up or a tool fails. */
export async function testLab(spec: Topology, device: LabDevice, options: TestOptions): Promise<boolean> {
  const report = new Report(options.form);
  const began = performance.now();
  report.say(`lab ${spec.name}, ${device} devices: ${spec.summary}`);
  await checkLab(spec, device, options, (outcome) => report.outcome(outcome), report.progress);
  report.total(`lab ${spec.name} (${device})`, Math.round(performance.now() - began));
  return report.failed === 0;
}

/** Up, all its checks, down. */
export async function checkLab(
  spec: Topology,
  device: LabDevice,
  { sizes, signal }: TestOptions,
  report: (outcome: Outcome) => void,
  progress: Progress = () => {},
): Promise<void> {
  const why = lacking(spec, device);
  if (why) throw new LabError(why);
  const lab = await up(spec, { device }, signal);
  try {
    await runChecks(new Run(lab, sizes, progress, signal), report, signal);
  } finally {
    await down(lab);
  }
}

/** The kind that was asked for, or the labs' own choice. LabError when it was asked for in vain. */
export function deviceFor(spec: Topology, wanted: LabDevice | undefined): LabDevice {
  const wrong = wanted !== undefined && spec.hostStack && !isShared(wanted);
  if (!wrong) return wanted ?? PLAIN_KIND;
  const right = kindsWith(({ shared }) => shared).join(' or ');
  throw new LabError(`lab ${spec.name} needs the host's own network stack: --device ${right}, not ${wanted}`);
}
