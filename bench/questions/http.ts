/**
 * What does a balancer cost a web site? wrk and iperf3 through ulvs NAT and DR, nft's DNAT, HAProxy, nginx's stream proxy,
 * and with nothing in between (the client's own routing shares out). The reference is HAProxy.
 *
 *     apart    the balancer alone on one processor: requests for each second of it (http/placement.ts says what is counted)
 *     shared   everybody on all processors, veths as they come: what a user of this machine sees
 *     wire     the same with offloads off, for long pages and bulk: frames of 1514 bytes with checksums, as on a wire
 *
 * Every round goes through all balancers; the figures are medians of five rounds.
 */

import { namespaces } from '../../src/lab/build/network.js';
import { type Running, stop } from '../../src/lab/build/process.js';
import { removeState, saveState } from '../../src/lab/build/state.js';
import { directoryOf } from '../../src/lab/names.js';
import { BALANCERS, type Balancer, DIRECT, HAPROXY } from '../http/balancer.js';
import { Findings } from '../http/findings.js';
import { apply } from '../http/placement.js';
import type { Scene } from '../http/scene.js';
import { prepare, startServers } from '../http/servers.js';
import { build, planSite, remove, type Site } from '../http/site.js';
import { type Part, Trial, UNITS } from '../http/trial.js';
import { report } from '../support/result.js';

const ROUNDS = 5;

const KEEP_ALIVE = { name: 'keep-alive', path: '/short' };
const PER_REQUEST = { name: 'a connection each', path: '/short', close: true };
const LONG = { name: '100 kB', path: '/long' };
const BULK = { name: 'iperf3' };

const PARTS: readonly Part[] = [
  { name: 'apart', place: 'apart', offloads: true, jobs: [KEEP_ALIVE, PER_REQUEST, LONG] },
  { name: 'shared', place: 'shared', offloads: true, jobs: [KEEP_ALIVE, PER_REQUEST, LONG, BULK] },
  { name: 'wire', place: 'shared', offloads: false, jobs: [LONG, BULK] },
];

/** In a site of its own, which goes with it. */
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
    const trial = new Trial(scene, one, findings, signal);
    for (let round = 1; round <= ROUNDS; round++)
      for (const balancer of contestants(one)) {
        progress(`${one.name}: round ${round} of ${ROUNDS}, ${balancer.name}`);
        await trial.attempt(balancer);
      }
  } finally {
    progress('');
    await stop(servers);
    await remove(site);
    removeState(site.id);
  }
}

/** Of parts and balancers those that the arguments name; all when they name none of the kind. */
function isWanted(name: string): boolean {
  const wanted = process.argv.slice(2);
  const kind = PARTS.some((one) => one.name === name) ? PARTS : BALANCERS;
  return wanted.includes(name) || !kind.some((one) => wanted.includes(one.name));
}

/** Apart, nothing in between costs nothing. */
function contestants({ place }: Part): readonly Balancer[] {
  return BALANCERS.filter((balancer) => (place === 'shared' || balancer !== DIRECT) && isWanted(balancer.name));
}

/** `ulvs lab down --all` finds it, should this be killed. */
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
  report({ name: 'http', title: 'Web requests', against: HAPROXY, rows: findings.rows(names, HAPROXY, UNITS) });
}

const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => interrupted.abort(new Error(name)));
await main(interrupted.signal);
