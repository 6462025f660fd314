/**
 * How many connections of a large fleet move on one change, by the scheduler's own code:
 *
 *     client ─► router: ECMP, hash-threshold as in Linux ─► director ─► mh's table ─► realserver
 *
 * A connection moves to another director when the router's next hops change. It is lost when the
 * other director's table has another realserver for it than the one that it was opened with.
 *
 *     make moves      prints the tables of docs/fleet.md
 */
import { hsiphash } from '../../src/schedulers/hsiphash.js';
import { MH_SIZES, mhOfSize } from '../../src/schedulers/mh.js';
import { SVC_SCHED2 } from '../../src/service/config.js';
import { Destination, VirtualService } from '../../src/service/service.js';
import { defaultSysctls } from '../../src/service/sysctl.js';
import { Counters } from '../../src/stats/counters.js';

const REALSERVERS = 1000;
const DIRECTORS = 64;
const CONNECTIONS = 200_000;
const FIRST_RIP = 0x0a640001;
const KEY = 0x5eed;
const NONE = new Int32Array(4);

/** Realserver `i` of a fleet, and its weight. */
type Servers = readonly { readonly i: number; readonly weight: number }[];

const counters = new Counters();
const base: Servers = Array.from({ length: REALSERVERS }, (_, i) => ({ i, weight: 1 }));

/** A client address and port, spread over all of both. */
const clients = Array.from({ length: CONNECTIONS }, (_, i) => ({
  src: hsiphash(i, KEY, 2 ** 32) | 0,
  sport: 1024 + hsiphash(i, KEY + 1, 64_000),
}));

/** The realserver of each connection, by number. */
function picks(size: number, servers: Servers): Int32Array {
  const service = new VirtualService(1, { sysctl: defaultSysctls() } as ConstructorParameters<
    typeof VirtualService
  >[1]);
  service.flags = SVC_SCHED2;
  service.destinations.push(
    ...[...servers].reverse().map(({ i, weight }) => {
      const dest = new Destination(i + 1, service, counters);
      return Object.assign(dest, { available: true, weight, lastWeight: weight, address: FIRST_RIP + i, port: 80 });
    }),
  );
  const schedule = mhOfSize(size)(service);
  return Int32Array.from(clients, ({ src, sport }) => {
    const arrival = { family: 4, protocol: 6, src, dst: 0, src6: NONE, dst6: NONE, sport, dport: 80 };
    return (schedule.schedule(arrival, 0)?.slot ?? 0) - 1;
  });
}

/**
 * The director of each connection among next hops, by number: hash-threshold (fib_rebalance,
 * fib_select_multipath of Linux). The hash is 31 bits of the address and port.
 */
function directors(hops: readonly number[]): Int32Array {
  return Int32Array.from(clients, ({ src, sport }) => {
    const hash = hsiphash((src + sport) | 0, KEY + 2, 2 ** 31);
    return hops[Math.min(Math.floor((hash * hops.length) / 2 ** 31), hops.length - 1)]!;
  });
}

function share(holds: (i: number) => boolean): number {
  let n = 0;
  for (let i = 0; i < CONNECTIONS; i++) if (holds(i)) n++;
  return n / CONNECTIONS;
}

function percent(part: number): string {
  return part === 0 ? '0' : `${(part * 100).toFixed(part < 0.001 ? 3 : 2)}%`;
}

function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

const numbers = (n: number) => Array.from({ length: n }, (_, i) => i);
const HOPS: readonly (readonly [name: string, before: number[], after: number[]])[] = [
  ['one is added', numbers(DIRECTORS), numbers(DIRECTORS + 1)],
  ['the last of them goes', numbers(DIRECTORS), numbers(DIRECTORS - 1)],
  ['the middle one goes', numbers(DIRECTORS), numbers(DIRECTORS).filter((i) => i !== DIRECTORS / 2)],
];
const CHANGES: readonly (readonly [name: string, servers: Servers])[] = [
  ['a realserver is added', [...base, { i: REALSERVERS, weight: 1 }]],
  ['a realserver is removed', base.filter(({ i }) => i !== REALSERVERS / 2)],
  ['a weight goes from 1 to 2', base.map((one) => (one.i === REALSERVERS / 2 ? { ...one, weight: 2 } : one))],
];

/** The most loaded realserver, against the mean. */
function heaviest(picked: Int32Array): number {
  const counts = new Int32Array(REALSERVERS);
  for (const one of picked) counts[one]!++;
  return (Math.max(...counts) * REALSERVERS) / CONNECTIONS;
}

console.log(
  `${CONNECTIONS} connections, ${REALSERVERS} realservers of weight 1, ${DIRECTORS} directors, mh with mh-port\n`,
);
console.log('Connections that are sent to another director:\n');
console.log(row(['change of the directors', 'moved']));
console.log(row(['---', '---']));
for (const [name, before, after] of HOPS) {
  const [old, now] = [directors(before), directors(after)];
  console.log(row([name, percent(share((i) => old[i] !== now[i]))]));
}
const [moved, stays] = [directors(HOPS[0]![2]), directors(HOPS[0]![1])];
console.log('\nConnections for which the table of mh changes, and those lost when a director is added afterwards:\n');
console.log(row(['table size', 'heaviest realserver', ...CHANGES.flatMap(([name]) => [name, 'then lost'])]));
console.log(row(['---', '---', ...CHANGES.flatMap(() => ['---', '---'])]));
for (const size of MH_SIZES) {
  if (size < REALSERVERS) {
    console.log(row([size, 'fewer slots than realservers', ...CHANGES.flatMap(() => ['', ''])]));
    continue;
  }
  const before = picks(size, base);
  const cells = CHANGES.flatMap(([, servers]) => {
    const after = picks(size, servers);
    const changed = share((i) => before[i] !== after[i]);
    return [percent(changed), percent(share((i) => before[i] !== after[i] && moved[i] !== stays[i]))];
  });
  console.log(row([size, `${heaviest(before).toFixed(2)} × mean`, ...cells]));
}
