/** The programs of others in a lab: BIRD, etcd. They are started before the director. */
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, inNamespace } from '../../sys/command.js';
import { LabError } from '../error.js';
import { directoryOf, namespaceOf } from '../names.js';
import type { Daemon, Topology } from '../topology.js';
import { type Running, start, untilReady } from './process.js';
import type { LabState } from './state.js';
import { toolWords } from './tool.js';

/** A lab that is being built. */
interface Place extends Pick<LabState, 'id' | 'processes'> {
  readonly spec: Topology;
}

/** Starts the daemons of a lab; resolves when all are ready and the rules are in etcd. */
export async function startDaemons({ id, processes, spec }: Place): Promise<void> {
  const running = (spec.daemons ?? []).map((daemon) => ({ daemon, process: startDaemon(id, daemon) }));
  processes.push(...running.map(({ process }) => process));
  await Promise.all(running.map(({ daemon, process }) => untilReady(process, () => isReady(daemon, process))));
  if (spec.fleet !== undefined) await writeRules(id, spec, spec.rules);
}

/** Sets the rules of a fleet. Throws a CommandError. */
export async function writeRules(id: string, { fleet }: Topology, rules: readonly string[]): Promise<void> {
  if (fleet === undefined) return;
  const words = ['--endpoints', fleet.endpoint, 'put', '/ulvs/services/lab', '--', rules.join('\n')];
  await inNamespace(
    namespaceOf(id, fleet.host),
    'env',
    'ETCDCTL_API=3',
    ...toolWords('etcdctl', 'etcd-client'),
    ...words,
  );
}

/** Waits until the router of a fleet has a route to a VIP by `count` directors, 10 s at most. */
export async function untilRouted(id: string, vip: string, count: number): Promise<void> {
  for (const end = Date.now() + 10_000; ; await sleep(50)) {
    const { stdout } = await command('ip', ['-n', namespaceOf(id, 'router'), 'route', 'show', vip]);
    const hops = stdout.match(/via /g)?.length ?? 0;
    if (hops === count) return;
    if (Date.now() > end) throw new LabError(`the router has ${hops} routes to ${vip} after 10 s, not ${count}`);
  }
}

/** Starts one daemon; its log is NAME.log in the folder of the lab. */
function startDaemon(id: string, { name, host, command: file, debianPackage, words, config }: Daemon): Running {
  const folder = directoryOf(id);
  if (config !== undefined) writeFileSync(`${folder}/${name}.conf`, config);
  const all = [...toolWords(file, debianPackage), ...words(folder)];
  return start(name, namespaceOf(id, host), `${folder}/${name}.log`, all);
}

function isReady({ ready }: Daemon, { log }: Running): boolean {
  return ready.test(readFileSync(log, 'utf8'));
}
