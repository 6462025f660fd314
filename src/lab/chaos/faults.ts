/**
 * The faults of chaos. Each begins at a place, and its end undoes it. The realservers of eth1's VIP
 * are the victims; the one of eth0's VIP stays healthy, and its connections must live.
 */
import { readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, ipBatch } from '../../sys/command.js';
import { INTERFACES } from '../outage/network.js';
import type { OutageBed } from '../outage/testbed.js';
import { AskedDirector, descriptorsOf } from '../watch/asked.js';
import type { FaultShares } from './fault-injector.js';
import type { FaultKind } from './plan.js';
import type { Order } from './wire.js';

/** What a fault works on. */
export interface Scene {
  readonly bed: OutageBed;
  /** director.yaml as it was at the begin; it ends with its rules. */
  readonly config: string;
}

export interface Fault extends FaultKind {
  readonly title: string;
  /** Begins; resolves with what ends it. `strength`: above 0, at most 1. */
  readonly begin: (scene: Scene, place: string, strength: number) => Promise<() => unknown>;
}

/** Number of realservers: the healthy one and the victims. */
export const SERVERS = 3;
const VICTIMS = ['server-2', 'server-3'];
const AT_ONCE = [0, 0] as const;
const nothing = () => {};

const numberOf = (server: string) => Number(server.split('-')[1]) - 1;

/** A share of the frames of a wire, both ways. */
function onWire(name: keyof FaultShares, title: string, most: number): Fault {
  const begin: Fault['begin'] = async ({ bed }, place, strength) => {
    const order = async (shares: FaultShares) => {
      for (const outward of [true, false]) {
        const one: Order = { wire: INTERFACES.indexOf(place as never), outward, shares };
        await bed.orderWire(one);
      }
    };
    await order({ [name]: strength * most });
    return () => order({});
  };
  return { name, title, places: INTERFACES, lasts: [300, 3000], begin };
}

/** Two command lines in a namespace. */
function commands(host: 'director' | 'switch', first: (dev: string) => string, then: (dev: string) => string) {
  return async ({ bed }: Scene, place: string) => {
    await bed.run(host, first(place));
    return () => bed.run(host, then(place));
  };
}

const linkDown: Fault = {
  name: 'link-down',
  title: 'an interface of the director goes down',
  places: INTERFACES,
  lasts: [50, 1000],
  begin: commands(
    'director',
    (dev) => `ip link set ${dev} down`,
    (dev) => `ip link set ${dev} up`,
  ),
};

const carrier: Fault = {
  name: 'carrier',
  title: 'an interface of the director loses its carrier',
  places: INTERFACES,
  lasts: [50, 1000],
  begin: commands(
    'switch',
    (dev) => `ip link set d-${dev} down`,
    (dev) => `ip link set d-${dev} up`,
  ),
};

const neighbours: Fault = {
  name: 'neighbours',
  title: 'all hosts forget their neighbours',
  places: ['neighbours'],
  lasts: AT_ONCE,
  begin: async ({ bed }) => {
    for (const host of ['director', 'client', 'server'] as const) await bed.run(host, 'ip neigh flush all');
    return nothing;
  },
};

const killed: Fault = {
  name: 'server-killed',
  title: 'a realserver is killed, and comes back',
  places: VICTIMS,
  lasts: [300, 3000],
  begin: async ({ bed }, place) => {
    bed.signalServer(numberOf(place), 'SIGKILL');
    return () => bed.startServer(numberOf(place));
  },
};

const hung: Fault = {
  name: 'server-hung',
  title: 'a realserver hangs (SIGSTOP)',
  places: VICTIMS,
  lasts: [300, 3000],
  begin: async ({ bed }, place) => {
    bed.signalServer(numberOf(place), 'SIGSTOP');
    return () => bed.signalServer(numberOf(place), 'SIGCONT');
  },
};

const slow: Fault = {
  name: 'server-slow',
  title: 'a realserver gets the processor for a part of the time',
  places: VICTIMS,
  lasts: [500, 3000],
  begin: async ({ bed }, place, strength) => {
    const ended = new AbortController();
    const work = (async () => {
      while (!ended.signal.aborted) {
        bed.signalServer(numberOf(place), 'SIGSTOP');
        await sleep(strength * 80);
        bed.signalServer(numberOf(place), 'SIGCONT');
        await sleep(20);
      }
    })();
    return () => {
      ended.abort();
      return work;
    };
  },
};

const nftFlush: Fault = {
  name: 'nft-flush',
  title: 'somebody runs `nft flush ruleset`',
  places: ['nft'],
  lasts: AT_ONCE,
  begin: async ({ bed }) => {
    await bed.run('director', 'nft flush ruleset');
    return nothing;
  },
};

const stopped: Fault = {
  name: 'director-stopped',
  title: 'the director is stopped (SIGSTOP)',
  places: ['director'],
  lasts: [20, 1000],
  begin: async ({ bed }) => {
    const { pid } = bed.director;
    process.kill(pid, 'SIGSTOP');
    return () => process.kill(pid, 'SIGCONT');
  },
};

const diskFull: Fault = {
  name: 'disk-full',
  title: 'the disk of the log is full',
  places: ['disk'],
  lasts: [300, 3000],
  begin: async ({ bed }) => {
    const [filler, { bavail, bsize }] = [`${bed.logFolder}/filler`, statfsSync(bed.logFolder)];
    writeFileSync(filler, Buffer.alloc(bavail * bsize));
    return () => bed.run('director', `rm -f ${filler}`);
  },
};

const descriptors: Fault = {
  name: 'descriptors',
  title: 'the director may open no more descriptors',
  places: ['descriptors'],
  lasts: [200, 1500],
  begin: async ({ bed }) => {
    const { pid } = bed.director;
    const before = /^Max open files\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))!;
    await command('prlimit', ['--pid', `${pid}`, `--nofile=${descriptorsOf(pid)}:${before[2]}`]);
    return () => command('prlimit', ['--pid', `${pid}`, `--nofile=${before[1]}:${before[2]}`]);
  },
};

const overrun: Fault = {
  name: 'overrun',
  title: 'thousands of routes and neighbours come and go at once',
  places: ['netlink'],
  lasts: AT_ONCE,
  begin: async ({ bed }, _, strength) => {
    const some = (most: number, text: (i: number) => string) =>
      Array.from({ length: Math.ceil(strength * most) }, (__, i) => text(i));
    const routes = some(5000, (i) => `10.77.${i >> 8}.${i & 255} dev eth2`);
    const hosts = some(400, (i) => `10.2.${4 + (i >> 8)}.${i & 255} dev eth2`);
    const batch = (lines: readonly string[]) => ipBatch(bed.namespace('director'), lines);
    const reachable = 'lladdr 02:00:00:00:77:00 nud reachable';
    // The kernel may have no room for more neighbours: all namespaces share it. Another fault may
    // take the interface down meanwhile, and its routes go.
    await batch(hosts.map((line) => `neigh replace ${line} ${reachable}`)).catch(nothing);
    await batch(routes.map((line) => `route add ${line}`)).catch(nothing);
    await bed.run('director', 'ip route flush root 10.77.0.0/16');
    await batch(hosts.map((line) => `neigh del ${line}`)).catch(nothing);
    return nothing;
  },
};

const reloads: Fault = {
  name: 'reload-storm',
  title: 'reloads, each with other services',
  places: ['rules'],
  lasts: AT_ONCE,
  begin: async ({ bed, config }, _, strength) => {
    for (let n = Math.ceil(strength * 15); n >= 0; n--) {
      const services = Array.from({ length: n }, (__, i) => `-t 10.1.1.${i + 1}:${1000 + n}`);
      const lines = services.map((service) => `  -A ${service} -s wlc\n  -a ${service} -r 10.2.0.11:8080 -m\n`);
      bed.writeConfig(config + lines.join(''));
      process.kill(bed.director.pid, 'SIGHUP');
      await sleep(20);
    }
    return nothing;
  },
};

const listings: Fault = {
  name: 'listings',
  title: 'many ask for listings at once, and one traces',
  places: ['socket'],
  lasts: [300, 1500],
  begin: async ({ bed }, _, strength) => {
    const asking = Array.from({ length: Math.ceil(strength * 20) }, () => new AskedDirector(bed.socket));
    const done = Promise.allSettled([
      ...asking.slice(1).map((one) => one.list()),
      asking[0]!.trace(20_000, () => sleep(300)),
    ]);
    return async () => {
      await done;
      for (const one of asking) one.close();
    };
  },
};

export const FAULTS: readonly Fault[] = [
  onWire('drop', 'a wire loses frames', 0.2),
  onWire('duplicate', 'a wire duplicates frames', 0.3),
  onWire('reorder', 'a wire reorders frames', 0.3),
  onWire('corrupt', 'a wire changes a bit of frames', 0.1),
  linkDown,
  carrier,
  neighbours,
  killed,
  hung,
  slow,
  nftFlush,
  stopped,
  diskFull,
  descriptors,
  overrun,
  reloads,
  listings,
];
