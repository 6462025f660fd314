/** `ulvs lab test`: a lab is built, checked and taken down again, whatever happens. */
import { runChecks } from './checks.js';
import { down, up } from './lab.js';
import { type Form, Report } from './report.js';
import { Run, type Sizes } from './run.js';
import type { LabDevice, Topology } from './topology.js';

/** 300 is even over three realservers; 50 MB are some 35,000 segments. */
export const SIZES: Sizes = { requests: 300, bytes: 50_000_000, clients: 200, flows: 30 };

/** True when every check passed. LabError when the lab does not come up or a tool fails. */
export async function testLab(spec: Topology, device: LabDevice, form: Form, signal?: AbortSignal): Promise<boolean> {
  const report = new Report(form);
  const began = performance.now();
  report.say(`lab ${spec.name}, ${device} devices: ${spec.summary}`);
  const lab = await up(spec, { device }, signal);
  try {
    const run = new Run(lab, SIZES, report.progress, signal);
    await runChecks(run, (outcome) => report.outcome(outcome), signal);
  } finally {
    await down(lab);
  }
  report.total(`lab ${spec.name} (${device})`, Math.round(performance.now() - began));
  return report.failed === 0;
}
