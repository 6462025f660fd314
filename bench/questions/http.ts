/**
 * What does a balancer cost a web site? The client runs wrk and iperf3. The balancers are ulvs with
 * NAT and with DR, nft DNAT, HAProxy and nginx's stream proxy. In the case `direct` there is no
 * balancer: the client's multipath route spreads the connections. The reference is HAProxy.
 *
 *     apart    the balancer alone on one processor; requests for each second of its processor time (bench/support/http/placement.ts)
 *     shared   all processes on all processors, veths with their default offloads: what a user of this machine sees
 *     wire     as shared, with offloads off, for long pages and bulk: frames of 1514 bytes with checksums, as on a wire
 *
 * Every round runs all balancers. The figures are medians of five rounds. In `apart` each job runs
 * for 3 s before it is measured: a director that has just started compiles its code on its own
 * processor (V8, 1.2 s of the first 5 s), and a measurement of 2 s would be about that.
 *
 *     node build/bench/questions/http.js [--quick] [apart | shared | wire …] ['HAProxy' | 'nft DNAT' | 'ulvs NAT, xdp' | …]
 */

import { namespaces } from '../../src/lab/build/network.js';
import { type Running, stop } from '../../src/lab/build/process.js';
import { removeState, saveState } from '../../src/lab/build/state.js';
import { directoryOf } from '../../src/lab/names.js';
import { BALANCERS, type Balancer, DIRECT, HAPROXY } from '../support/http/balancer.js';
import { Findings } from '../support/http/findings.js';
import { apply } from '../support/http/placement.js';
import type { Scene } from '../support/http/scene.js';
import { prepare, startServers } from '../support/http/servers.js';
import { build, planSite, remove, type Site } from '../support/http/site.js';
import { type Part, Trial, UNITS } from '../support/http/trial.js';
import { interruption } from '../support/interruption.js';
import { orQuick, WORDS } from '../support/options.js';
import { report } from '../support/result.js';
import { Skips } from '../support/skips.js';

const ROUNDS = orQuick(5, 1);
const skips = new Skips();

const KEEP_ALIVE = { name: 'keep-alive', path: '/short' };
const PER_REQUEST = { name: 'a connection each', path: '/short', close: true };
const LONG = { name: '100 kB', path: '/long' };
const BULK = { name: 'iperf3' };

const PARTS: readonly Part[] = [
  { name: 'apart', place: 'apart', offloads: true, jobs: [KEEP_ALIVE, PER_REQUEST, LONG] },
  { name: 'shared', place: 'shared', offloads: true, jobs: [KEEP_ALIVE, PER_REQUEST, LONG, BULK] },
  { name: 'wire', place: 'shared', offloads: false, jobs: [LONG, BULK] },
];

/** Builds a site for one part, measures all balancers in it, and removes the site. */
async function part(one: Part, findings: Findings, signal: AbortSignal): Promise<void> {
  const site = planSite(one.name);
  const scene: Scene = { site, directory: directoryOf(site.id), place: one.place };
  remember(site);
  let servers: Running[] = [];
  try {
    prepare(scene);
    await build(site);
    await apply(site, one);
    servers = await startServers(scene);
    await rounds(one, new Trial(scene, one, findings, signal));
  } catch (error) {
    signal.throwIfAborted();
    skips.add(one.name, error);
  } finally {
    progress('');
    await stop(servers);
    await remove(site);
    removeState(site.id);
  }
}

/** Runs all balancers in turns. A balancer that fails is left out of this part and of its rows. */
async function rounds(one: Part, trial: Trial): Promise<void> {
  const nameOf = (balancer: Balancer) => `${one.name}: ${balancer.name}`;
  for (let round = 1; round <= ROUNDS; round++)
    for (const balancer of contestants(one).filter((each) => !skips.has(nameOf(each)))) {
      progress(`${one.name}: round ${round} of ${ROUNDS}, ${balancer.name}`);
      try {
        await trial.attempt(balancer);
      } catch (error) {
        trial.signal.throwIfAborted();
        progress('');
        skips.add(nameOf(balancer), error);
        trial.findings.forget(one.name, balancer.name);
      }
    }
  for (const balancer of contestants(one).filter((each) => !skips.has(nameOf(each)))) unmeasured(one, balancer, trial);
}

/** Reports the jobs that failed in every round as skipped. */
function unmeasured({ name, jobs }: Part, balancer: Balancer, { failures, findings }: Trial): void {
  for (const job of jobs) {
    const what = `${name}, ${job.name}`;
    const reason = failures.get(`${what}: ${balancer.name}`);
    if (reason !== undefined && !findings.has(what, balancer.name)) skips.add(`${what}: ${balancer.name}`, reason);
  }
}

/** True when the arguments name this part or balancer, or name none of its kind. */
function isWanted(name: string): boolean {
  const kind = PARTS.some((one) => one.name === name) ? PARTS : BALANCERS;
  return WORDS.includes(name) || !kind.some((one) => WORDS.includes(one.name));
}

/**
 * The case `direct` has no balancer whose processor time could be measured, so it is not in
 * `apart`.
 */
function contestants({ place }: Part): readonly Balancer[] {
  return BALANCERS.filter((balancer) => (place === 'shared' || balancer !== DIRECT) && isWanted(balancer.name));
}

/**
 * Saves the site's state, so that `ulvs lab down --all` removes the site if this process is killed.
 */
function remember({ id, topology }: Site): void {
  const namespaces_ = namespaces(topology, id);
  saveState({ id, topology: id, device: 'xdp', owner: process.pid, namespaces: namespaces_, processes: [] });
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function main(signal: AbortSignal): Promise<void> {
  const findings = new Findings();
  for (const one of PARTS.filter(({ name }) => isWanted(name))) await part(one, findings, signal);
  const names = BALANCERS.map(({ name }) => name);
  const rows = findings.rows(names, HAPROXY, UNITS);
  report({ name: 'http', title: 'Web requests', against: HAPROXY, rows, skipped: skips.all });
}

await main(interruption());
