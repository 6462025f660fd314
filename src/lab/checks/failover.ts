/**
 * The checks of a pair: the master fails while downloads run and connections are idle, keepalived
 * moves the VIPs, and the connections go on through the other director. Then the first one comes
 * back.
 */

import { ipBatch } from '../../sys/command.js';
import { untilHas, withoutVirtual } from '../build/keepalived.js';
import { DIRECTOR, directorReady, type Lab, startDirector, startVrrp } from '../build/lab.js';
import { LabError } from '../error.js';
import { sha256OfBytes } from '../load/bytes.js';
import type { Result } from '../load/job.js';
import { namespaceOf, SWITCH, switchEnd } from '../names.js';
import { hostOf } from '../topology.js';
import { type Check, httpTargets, type Outcome, type Run } from './run.js';

/** Bytes a second of a download: it must run for longer than a failover takes. */
const RATE = 10_000_000;
const QUICK_RATE = 2_000_000;
/** The fault happens when this part of a download has come. */
const PART = 0.2;
const IDLE = 1000;
const QUICK_IDLE = 200;
const BACKUP = 'backup';

interface Fault {
  readonly name: string;
  strike(lab: Lab): Promise<void>;
  repair(lab: Lab): Promise<void>;
}

const killed: Fault = {
  name: 'kill -9 of the director',
  strike: async (lab) => kill(lab, (what) => what === DIRECTOR),
  repair: async (lab) => directorReady(lab, startDirector(lab)),
};

const dead: Fault = {
  name: 'the whole machine fails',
  strike: (lab) => {
    kill(lab, (what) => what.startsWith(DIRECTOR));
    return plug(lab, 'down');
  },
  // What a boot would find: no addresses of keepalived.
  repair: async (lab) => {
    const own = namespaceOf(lab.id, DIRECTOR);
    await ipBatch(own, withoutVirtual(lab.spec.keepalived![DIRECTOR]!));
    await plug(lab, 'up');
    await directorReady(lab, startDirector(lab));
    startVrrp(lab, DIRECTOR);
  },
};

const unplugged: Fault = {
  name: 'the cable is pulled',
  strike: (lab) => plug(lab, 'down', 1),
  repair: (lab) => plug(lab, 'up', 1),
};

/** All faults; with --quick the first one. */
export const failover: Check = async (run) => {
  const quick = run.sizes.bytes < 50_000_000;
  const outcomes: Outcome[] = [];
  for (const fault of quick ? [killed] : [killed, dead, unplugged]) {
    outcomes.push(...(await during(run, fault.name, quick, () => fault.strike(run.lab), BACKUP)));
    outcomes.push(...(await during(run, `back after: ${fault.name}`, quick, () => fault.repair(run.lab), DIRECTOR)));
  }
  return outcomes;
};

/** Connections are open while `event` happens and the VIP moves to `heir`. */
async function during(
  run: Run,
  name: string,
  quick: boolean,
  event: () => Promise<void>,
  heir: string,
): Promise<Outcome[]> {
  const targets = httpTargets(run.lab.spec);
  const { bytes } = run.sizes;
  let happened: Promise<void> | undefined;
  const follow = (done: number, total: number) => {
    // The progress of the idle connections has another total.
    if (happened === undefined && total === bytes && done > total * PART)
      happened = event().then(() => untilHas(run.lab.id, heir, run.lab.spec.vips[0]!));
    // It is awaited after the load.
    happened?.catch(() => {});
  };
  const idle = quick ? QUICK_IDLE : IDLE;
  const work = { kind: 'outlive', targets, count: idle, bytes, rate: quick ? QUICK_RATE : RATE } as const;
  const result = await run.loadFrom('client', work, follow);
  if (happened === undefined) throw new LabError(`${name}: the download did not begin: ${result.errors[0] ?? ''}`);
  await happened;
  return [downloaded(name, bytes, result), answeredAfterwards(name, idle, result)];
}

function downloaded(name: string, bytes: number, { downloads = [], errors }: Result): Outcome {
  const wanted = sha256OfBytes(bytes);
  const ok = downloads.length > 0 && downloads.every(({ sha256 }) => sha256 === wanted);
  const gap = Math.max(...downloads.map((one) => one.gap));
  const figure = ok ? `SHA-256 identical, stood still for ${gap} ms` : (errors[0] ?? 'SHA-256 differs');
  return { name: `${name}: a download of ${bytes / 1e6} MB goes on`, ok, figure };
}

function answeredAfterwards(name: string, idle: number, { answers, errors }: Result): Outcome {
  const complaint = errors[0] === undefined ? '' : `: ${errors[0]}`;
  return {
    name: `${name}: idle connections answer afterwards`,
    ok: answers.length === idle,
    figure: `${answers.length} of ${idle}${complaint}`,
  };
}

/** Ends processes of the lab at once, keepalived with its children. */
function kill(lab: Lab, isWanted: (what: string) => boolean): void {
  for (const { pid, what } of lab.processes.filter(({ what }) => isWanted(what))) {
    try {
      // Each was started as the leader of a process group.
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw new LabError(`${what}: ${(error as Error).message}`);
    }
  }
}

/** Plugs or unplugs the first `ports` of the director, at the switch's end. */
async function plug(lab: Lab, how: 'up' | 'down', ports = 9): Promise<void> {
  const all = hostOf(lab.spec, 'director').ports.slice(0, ports);
  await ipBatch(
    namespaceOf(lab.id, SWITCH),
    all.map(({ dev }) => `link set ${switchEnd(DIRECTOR, dev)} ${how}`),
  );
}
