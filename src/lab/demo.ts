/**
 * `make demo`: brings up each basic lab in turn and shows its drawing, which realservers answered,
 * the director's tables, and one packet at each hop.
 */

import { down, type Lab, up } from './build/lab.js';
import { rootlessObstacle } from './build/rootless.js';
import { httpTargets, Run } from './checks/run.js';
import { invocation } from './invocation.js';
import { spread } from './load/client.js';
import { Report } from './report.js';
import { SIZES } from './test.js';
import { basics } from './topologies/index.js';
import type { LabDevice, Topology } from './topology.js';
import { ulvsadm } from './watch/listing.js';
import { describeHops, followPacket } from './watch/packet-path.js';

const REQUESTS = 30;
const SHOWN_CONNECTIONS = 6;

/**
 * Throws a LabError if a lab does not come up, and an Error if a request got no answer. Every lab
 * is taken down in either case.
 */
export async function demo(device: LabDevice, signal?: AbortSignal): Promise<void> {
  const report = new Report('text');
  const began = performance.now();
  let shown = 0;
  for (const spec of basics) {
    signal?.throwIfAborted();
    const why = rootlessObstacle(spec, device);
    if (why) {
      report.say(`\n━━━ skipped: ${why}`);
      continue;
    }
    const lab = await up(spec, { device }, signal);
    try {
      await show(spec, lab, report, signal);
      shown++;
    } finally {
      await down(lab);
    }
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  report.say(`\n${shown} labs in ${seconds} s. Their namespaces, processes and files are removed.`);
  report.say(`Next: ${invocation('ulvs lab test nat')}, or lab up dr, lab list, lab --help`);
  report.say(
    `See your own packet on its way, in a browser: ${invocation('ulvs lab up dr --console')} ends with the address.`,
  );
  if (report.failed > 0) throw new Error(`${report.failed} of the labs did not answer every request`);
}

async function show(spec: Topology, lab: Lab, report: Report, signal?: AbortSignal): Promise<void> {
  const run = new Run(lab, SIZES, report.progress, signal);
  report.say(`\n━━━ ${spec.summary}\n${spec.drawing}`);
  const targets = httpTargets(spec);
  const result = await run.load({ kind: 'requests', targets, count: REQUESTS, concurrency: 4 });
  const who = [...spread(result)].map(([name, count]) => `${name} ${count}`).join(', ');
  const errors = result.errors.length > 0 ? `; ${result.errors[0]}` : '';
  report.outcome({
    name: `${REQUESTS} requests answered`,
    ok: result.answers.length === REQUESTS,
    figure: `${who}${errors}`,
  });
  report.say("\nThe director's tables (ulvsadm -Ln, and the first lines of -Lnc):");
  for (const line of await listing(lab.id)) report.say(`  ${line}`);
  report.say('\nA SYN and the reply to it, at each hop:');
  const hops = await followPacket(lab, () =>
    run.load({ kind: 'requests', targets: targets.slice(0, 1), count: 1, concurrency: 1 }),
  );
  for (const line of describeHops(hops)) report.say(`  ${line}`);
  if (hops.length === 0) report.outcome({ name: 'a packet to follow', ok: false, figure: 'the request got no answer' });
}

async function listing(id: string): Promise<string[]> {
  const services = (await ulvsadm(id, '-Ln')).trimEnd().split('\n');
  const connections = (await ulvsadm(id, '-Lnc')).trimEnd().split('\n');
  const more = connections.length - 2 - SHOWN_CONNECTIONS;
  const rest = more > 0 ? [`… and ${more} more`] : [];
  return [...services, '', ...connections.slice(0, 2 + SHOWN_CONNECTIONS), ...rest];
}
