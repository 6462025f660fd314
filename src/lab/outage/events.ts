/** The events of an outage lab: what happens to the director's interface eth1, and how it ends. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../../control/api/client.js';
import { detachProgram } from '../../device/xdp/attach.js';
import { ipBatch } from '../../sys/command.js';
import { LabError } from '../error.js';
import { breakJournal, breakTable, CHANGES, cutTable } from './damage.js';
import { SILENT } from './measure.js';
import { INTERFACES } from './network.js';
import type { OutageBed } from './testbed.js';

/** One thing that happens. */
export interface OutageEvent {
  readonly name: string;
  /** What is done, for the table. */
  readonly title: string;
  /** Makes it happen, waits a moment and undoes it. May resolve with a time that counts, ms. */
  readonly act: (bed: OutageBed) => Promise<unknown>;
  /** Comes after `act`. Its stalls are measured apart. */
  readonly undo?: (bed: OutageBed) => Promise<unknown>;
  /** Connections by eth0 pass the event, too. */
  readonly all?: true;
  /** Time after it in which TCP repeats what was lost, in ms; 2500 when left out. */
  readonly settle?: number;
  /** Only with devices of this kind; any when left out. */
  readonly needsXdp?: true;
  /** Connections may be lost; new ones go on. */
  readonly loses?: true;
  /** A program of the lab that is loaded into the director before it starts. */
  readonly preload?: string;
}

/** How long an interface stays away, ms. */
const AWAY = 300;
/** A takeover takes about as long, ms. */
const TAKES = 1000;

async function recreate(bed: OutageBed): Promise<void> {
  await bed.run('director', 'ip link del eth1');
  await sleep(AWAY);
  await bed.plug('eth1');
}

async function recreateAll(bed: OutageBed): Promise<void> {
  for (const name of INTERFACES) await bed.run('director', `ip link del ${name}`);
  await sleep(AWAY);
  for (const name of INTERFACES) await bed.plug(name);
}

function both(host: 'director' | 'switch', first: string, then: string): OutageEvent['act'] {
  return async (bed) => {
    await bed.run(host, first);
    await sleep(AWAY);
    await bed.run(host, then);
  };
}

/** Adds and deletes many routes and neighbours: more changes than a netlink socket may hold. */
async function overrun(bed: OutageBed): Promise<void> {
  const routes = Array.from({ length: 20_000 }, (_, i) => `10.77.${i >> 8}.${i & 255} dev eth2`);
  for (const verb of ['add', 'del'])
    await ipBatch(
      bed.namespace('director'),
      routes.map((route) => `route ${verb} ${route}`),
    );
}

/** Takes the XDP program off, as `bpftool link detach` does. */
async function detach(bed: OutageBed): Promise<void> {
  const [{ xdp }] = JSON.parse(await bed.run('director', 'ip -j link show dev eth1')) as [
    { xdp: { prog: { id: number } } },
  ];
  detachProgram(xdp.prog.id);
}

/**
 * At any moment, ms: the director is killed 2 to 5 s after it was up again. Downloads may still
 * wait for a repetition of TCP then.
 */
const WHENEVER = 3000;
const UP = 2000;

async function killDirector(bed: OutageBed): Promise<void> {
  await sleep(Math.random() * WHENEVER);
  await bed.killDirector();
  await bed.startDirector();
}

/** Kills the director, damages its state, and starts it again. */
function killAnd(damage: (folder: string) => void): OutageEvent['act'] {
  return async (bed) => {
    await bed.killDirector();
    damage(bed.stateFolder);
    await bed.startDirector();
  };
}

/** SIGPWR ends a thread (programs/end-worker.ts). */
async function endWorker(bed: OutageBed): Promise<void> {
  const { pid } = bed.director;
  const times = () => readFileSync(bed.log, 'utf8').split('is back').length;
  const before = times();
  process.kill(pid, 'SIGPWR');
  for (let ms = 0; times() === before; ms += WATCH) {
    if (ms > REVIVED) throw new LabError(`no worker of the director is back after ${REVIVED / 1000} s`);
    await sleep(WATCH);
  }
}

/** A process asks the director to pause, and dies. */
async function failedTakeover(bed: OutageBed): Promise<void> {
  const successor = spawn('sleep', ['60']);
  const client = new SocketClient(bed.socket);
  try {
    for (const step of ['offer', 'go'] as const) {
      const reply = await client.request({ op: 'takeover', step, pid: successor.pid! });
      if (!reply.ok) throw new LabError(`the director refuses a takeover: ${reply.text}`);
    }
  } finally {
    client.close();
    successor.kill('SIGKILL');
  }
  await sleep(TAKES);
}

/** Two workers, then one again, and so on. */
async function takeoverByOthers(bed: OutageBed): Promise<void> {
  const text = readFileSync(bed.config, 'utf8');
  const without = text.replace(/^workers: .*\n/m, '');
  bed.writeConfig(text.includes(TWO) ? without : `${TWO}${without}`);
  await bed.successor();
}

/** Connections that were lost have been silent by then, ms. */
const LOST = 2 * SILENT;

/** A worker is back within this time, ms, and how often it is looked for. */
const REVIVED = 10_000;
const WATCH = 20;

/** Services, and destinations of each. */
const SERVICES = 10_000;
const EACH = 10;

const services = () => Array.from({ length: SERVICES }, (_, i) => `-t 10.9.${i >> 8}.${i & 255}:80`);

/** Resolves with the time that it took. */
async function addRules(bed: OutageBed): Promise<number> {
  const added = services().flatMap((service, i) => [
    `-A ${service} -s rr`,
    ...Array.from({ length: EACH }, (_, j) => `-a ${service} -r 10.${100 + j}.${i >> 8}.${i & 255}:8080 -m`),
  ]);
  const took = await bed.restore(added);
  await sleep(AWAY);
  return took;
}

const removeRules = (bed: OutageBed) => bed.restore(services().map((service) => `-D ${service}`));

const TWO = 'workers: 2\n';

const mac = (last: string) => `ip link set eth1 address 02:00:00:00:0e:${last}`;

export const events: readonly OutageEvent[] = [
  {
    name: 'nothing',
    title: 'nothing happens: what the machine itself loses meanwhile',
    act: () => sleep(TAKES),
    all: true,
  },
  { name: 'recreate', title: 'eth1 is deleted and created again under its name', act: recreate },
  { name: 'recreate-all', title: 'all three interfaces are deleted and created again', act: recreateAll, all: true },
  {
    name: 'down-up',
    title: 'eth1 goes down and up',
    act: both('director', 'ip link set eth1 down', 'ip link set eth1 up'),
  },
  {
    name: 'carrier',
    title: 'eth1 loses its carrier',
    act: both('switch', 'ip link set d-eth1 down', 'ip link set d-eth1 up'),
  },
  { name: 'mac', title: 'eth1 gets another MAC address', act: both('director', mac('01'), mac('02')) },
  {
    name: 'mtu',
    title: 'eth1 gets another MTU',
    act: both('director', 'ip link set eth1 mtu 1400', 'ip link set eth1 mtu 1500'),
  },
  {
    name: 'queues',
    title: 'eth1 gets another number of queues (ethtool -L), which resets its driver',
    act: both('director', 'ethtool -L eth1 rx 2 tx 2', 'ethtool -L eth1 rx 1 tx 1'),
  },
  {
    name: 'xdp-off',
    title: 'somebody runs `ip link set dev eth1 xdp off`',
    act: both('director', 'ip link set dev eth1 xdp off || true', 'true'),
    needsXdp: true,
  },
  {
    name: 'xdp-detach',
    title: "somebody detaches eth1's XDP program (`bpftool link detach`)",
    act: detach,
    needsXdp: true,
  },
  { name: 'nft-flush', title: 'somebody runs `nft flush ruleset`', act: both('director', 'nft flush ruleset', 'true') },
  {
    name: 'takeover',
    title: 'a new process takes over (`ulvs run --takeover`)',
    act: (bed) => bed.successor(),
    all: true,
  },
  {
    name: 'takeover-killed',
    title: 'the new process is killed while it takes over',
    act: (bed) => bed.killedSuccessor(Math.random() * TAKES),
    all: true,
  },
  {
    name: 'takeover-failed',
    title: 'the new process dies after the old one has paused',
    act: failedTakeover,
    all: true,
  },
  {
    name: 'takeover-workers',
    title: 'a new process takes over with another number of workers: the old one stops first',
    act: takeoverByOthers,
    all: true,
    settle: UP,
  },
  {
    name: 'kill',
    title: 'the director is killed (kill -9) and started again, with the state of the one before',
    act: killDirector,
    all: true,
    settle: UP,
  },
  {
    name: 'worker',
    title: 'a worker thread of the director dies',
    act: endWorker,
    all: true,
    preload: 'lab/programs/end-worker.js',
  },
  {
    name: 'state-cut',
    title: 'the director is killed, and the file of its connections is cut before it starts again',
    act: killAnd(cutTable),
    all: true,
    settle: LOST,
    loses: true,
  },
  {
    name: 'state-rules',
    title: 'the director is killed, and the journal of its rules gets random bytes before it starts again',
    act: killAnd(breakJournal),
    all: true,
    settle: LOST,
    loses: true,
  },
  {
    name: 'state-words',
    title: `the director is killed, and ${CHANGES} random words are written into its connections before it starts again`,
    act: killAnd(breakTable),
    all: true,
    settle: LOST,
    loses: true,
  },
  {
    name: 'rules',
    title: 'ulvsadm -R adds 10,000 services with 10 destinations each, then removes them',
    act: addRules,
    undo: removeRules,
    all: true,
  },
  { name: 'overrun', title: '20,000 routes come and go at once', act: overrun, all: true },
];
