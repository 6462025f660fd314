/**
 * Changes of a fleet while connections are held open: a director comes, one is killed and starts
 * anew, one dies with its machine, one is drained. The router spreads the connections anew each
 * time, and moves some of them to another director in the middle.
 *
 *     DR with mh       every director picks the same realserver: no connection may break
 *     full NAT         the other director has another source address: those that are moved break
 *     NAT with rr      synchronisation tells the other directors: none may break that they know
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { command, inNamespace } from '../../sys/command.js';
import { socketPath } from '../build/config.js';
import { untilRouted, writeRules } from '../build/daemons.js';
import { directorReady, type Lab, startDirector } from '../build/lab.js';
import { kill } from '../build/process.js';
import { ripsOf } from '../hosts.js';
import { holding } from '../load/client.js';
import type { Loss, Result } from '../load/job.js';
import { endpointOf } from '../load/run-all.js';
import { namespaceOf, program } from '../names.js';
import { realservers } from '../topology.js';
import type { Check, Outcome, Run } from './run.js';

/**
 * Connections held open to each VIP, and local ports for those that replace broken ones.
 */
const HELD = 60;
const PORTS = 1000;
/** Time in which a moved connection shows whether it lives, ms. */
const SETTLE_MS = 700;

/** One change of the fleet, by the time at which it began (ms since 1970). */
interface Change {
  readonly name: string;
  readonly began: number;
}

/** What the check needs to know of the topology. */
export interface FleetVips {
  readonly dr: string;
  readonly fullNat: string;
  readonly nat: string;
}

/** The check of a fleet with three directors, of which the first one runs. */
export function addKillDrain({ dr, fullNat, nat }: FleetVips): Check {
  return async (run) => {
    const { lab } = run;
    const changes: Change[] = [];
    const change = async (name: string, work: () => Promise<void>) => {
      changes.push({ name, began: Date.now() });
      await work();
      await sleep(SETTLE_MS);
    };
    await addDirector(lab, 'director2', dr, 2);
    const targets = [dr, fullNat, nat].map((address) => ({ address, port: 80 }));
    let equal: Outcome[] = [];
    const job = {
      kind: 'held',
      targets,
      count: HELD * targets.length,
      ports: PORTS,
      firstPort: run.takePorts(PORTS),
    } as const;
    const result = await holding(lab.id, 'client', job, async () => {
      await change('a director is added', () => addDirector(lab, 'director3', dr, 3));
      equal = await rulesReachAll(run);
      await change('a director is killed and starts anew', () => restart(lab, 'director2', dr, 3));
      await change('a director and its machine die', () => lose(lab, 'director2', dr, 2));
      await change('a director is drained', () => drain(lab, 'director3', dr));
    });
    const [ofDr, ofFullNat, ofNat] = targets.map(endpointOf) as [string, string, string];
    const of = { dr: ofDr, fullNat: ofFullNat, nat: ofNat };
    return [
      ...equal,
      ...changes.map((one, i) => survived(one, changes[i + 1], result, of)),
      { name: 'held connections: longest time without an answer', ...gap(result) },
    ];
  };
}

async function addDirector(lab: Lab, name: string, vip: string, count: number): Promise<void> {
  await directorReady(lab, startDirector(lab, name));
  await untilRouted(lab.id, vip, count);
}

/** The process is killed: the kernel takes its routes away. Then it starts again. */
async function restart(lab: Lab, name: string, vip: string, count: number): Promise<void> {
  kill(lab.processes.filter(({ what }) => what === name));
  await untilRouted(lab.id, vip, count - 1);
  await addDirector(lab, name, vip, count);
}

/** The machine is off: its director and its BIRD are killed, and its link is down. */
async function lose(lab: Lab, name: string, vip: string, left: number): Promise<void> {
  await command('ip', ['-n', namespaceOf(lab.id, name), 'link', 'set', 'eth0', 'down']);
  kill(lab.processes.filter(({ what }) => what === name || what === `${name}-bird`));
  await untilRouted(lab.id, vip, left);
}

async function drain(lab: Lab, name: string, vip: string): Promise<void> {
  const words = ['fleet', 'drain', '--quiet', '1', '--socket', socketPath(lab.id, name)];
  await inNamespace(namespaceOf(lab.id, name), process.execPath, program('cli/main.js'), ...words);
  await untilRouted(lab.id, vip, 1);
}

/** A VIP that the rules get while the lab runs. */
const NEW_VIP = '10.9.0.4';

/**
 * A service that comes into etcd is announced by all directors, and withdrawn when its only
 * realserver is quiesced.
 */
async function rulesReachAll({ lab }: Run): Promise<Outcome[]> {
  const { id, spec } = lab;
  const rip = ripsOf(realservers(spec))[0]!;
  const added = [`-A -t ${NEW_VIP}:80 -s mh`, `-a -t ${NEW_VIP}:80 -r ${rip}:80 -g -w 1`];
  const announced = await timed(async () => {
    await writeRules(id, spec, [...spec.rules, ...added]);
    await untilRouted(id, NEW_VIP, 3);
  });
  const equal = await equalDirectors(lab);
  const withdrawn = await timed(async () => {
    await writeRules(id, spec, [...spec.rules, ...added, `-e -t ${NEW_VIP}:80 -r ${rip}:80 -g -w 0`]);
    await untilRouted(id, NEW_VIP, 0);
  });
  return [
    { name: 'a new service in etcd is announced by all directors', ok: true, figure: `${announced} ms` },
    { name: 'ulvs fleet status: rules of etcd on all directors', ok: equal === 3, figure: `${equal} of 3` },
    { name: 'without a realserver of weight above 0 it is withdrawn', ok: true, figure: `${withdrawn} ms` },
  ];
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = Date.now();
  await work();
  return Date.now() - began;
}

/** Number of directors with the rules of etcd, after 5 s at most: they say so every 3 s. */
async function equalDirectors(lab: Lab): Promise<number> {
  const words = [program('cli/main.js'), 'fleet', 'status', '--json', '--socket', socketPath(lab.id, 'director')];
  const shell = ['sh', '-c', 'exec "$@" || true', 'sh', process.execPath, ...words];
  for (const end = Date.now() + 5000; ; ) {
    const { stdout } = await inNamespace(namespaceOf(lab.id, 'director'), ...shell);
    const { directors } = JSON.parse(stdout) as { directors: { rules: string }[] };
    const equal = directors.filter(({ rules }) => rules === 'equal').length;
    if (equal === 3 || Date.now() > end) return equal;
  }
}

/** The connections that broke between this change and the next one. */
function survived({ name, began }: Change, next: Change | undefined, result: Result, of: FleetVips): Outcome {
  const mine = (result.losses ?? []).filter(({ at }) => at >= began && at < (next?.began ?? Number.POSITIVE_INFINITY));
  const lost = (target: string) => mine.filter((loss) => loss.target === target);
  const [dr, nat] = [lost(of.dr), lost(of.nat)];
  const first = [...dr, ...nat][0];
  const why = first ? ` (${first.why})` : '';
  const figure = `DR ${kept(dr)}, NAT with synchronisation ${kept(nat)}, full NAT ${kept(lost(of.fullNat))}${why}`;
  return { name: `${name}: connections alive`, ok: dr.length + nat.length === 0, figure };
}

function kept(lost: readonly Loss[]): string {
  return `${HELD - lost.length} of ${HELD}`;
}

function gap({ longestGapMs = 0, errors }: Result): Omit<Outcome, 'name'> {
  const failed = errors.length > 0 ? `, ${errors.length} could not connect: ${errors[0]}` : '';
  return { ok: errors.length === 0, figure: `${Math.round(longestGapMs)} ms${failed}` };
}
