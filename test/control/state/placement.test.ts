/**
 * Packets of connections that went to another number of workers: each leaves as it did before,
 * whichever worker receives it.
 *
 *     one worker ─► two ─► one ─► three        tables by Transfer, owners and stages by Placement
 */
import { afterEach, expect, it } from 'vitest';
import { linesBytes, sealsBytes, shiftsBytes, type TableMemory } from '../../../src/conntrack/memory.js';
import { Rebuild } from '../../../src/conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../../src/conntrack/table.js';
import { Placement } from '../../../src/control/state/placement.js';
import { Transfer } from '../../../src/control/state/transfer.js';
import { configs, DEVICES, POOL_SECRET, silence, WorkerPool } from '../../dataplane/workers/pool.js';
import { packet } from '../../support/packet.js';
import { Random } from '../../support/seed.js';

const ROUTER = '02:00:00:00:c0:01';
const SERVER = '02:00:00:00:a0:11';
const POOL = '192.168.1.240';
const LINES = 600;

/** `rr`: a connection that is not known any more would go to any destination. */
const config = (rules: readonly string[]) => `
accept: { sources: [${POOL}], toa: false }
connections: { max: ${LINES} }
devices:
  - { name: eth0, mac: ${DEVICES[0]}, addresses: [10.0.0.254/24, "2001:db8::fe/64"] }
  - { name: eth1, mac: ${DEVICES[1]}, addresses: [192.168.1.254/24, "fd00::fe/64"] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${ROUTER} }
  - { ip: "2001:db8::1", dev: eth0, mac: ${ROUTER} }
  - { ip: 192.168.1.11, dev: eth1, mac: ${SERVER} }
  - { ip: 192.168.1.12, dev: eth1, mac: ${SERVER} }
  - { ip: "fd00::11", dev: eth1, mac: ${SERVER} }
  - { ip: "fd00::12", dev: eth1, mac: ${SERVER} }
routes: [ { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 }, { to: "2001:db8::1:0/112", via: "2001:db8::1", dev: eth0 } ]
rules: |
${rules.map((rule) => `  ${rule}`).join('\n')}
`;

interface Kind {
  readonly vip: string;
  readonly how: string;
  readonly udp?: true;
  readonly options?: string;
}
const KINDS: readonly Kind[] = [
  { vip: '10.0.0.100', how: '-m' },
  { vip: '10.0.0.100', how: '-m', udp: true },
  { vip: '10.0.0.101', how: '-g' },
  { vip: '10.0.0.102', how: '-i', udp: true },
  { vip: '10.0.0.103', how: '--full-nat' },
  { vip: '2001:db8::100', how: '-m' },
];
const STICKY: readonly Kind[] = [...KINDS, { vip: '10.0.0.104', how: '-m', options: '-p 600 -M 255.255.255.0' }];

function rulesOf(kinds: readonly Kind[]): string[] {
  return kinds.flatMap(({ vip, how, udp, options = '' }) => {
    const six = vip.includes(':');
    const service = `-${udp ? 'u' : 't'} ${six ? `[${vip}]` : vip}:80`;
    const servers = six ? ['[fd00::11]', '[fd00::12]'] : ['192.168.1.11', '192.168.1.12'];
    return [
      `-A ${service} -s rr ${options}`,
      ...servers.map(
        (server) => `-a ${service} -r ${server}${how === '-m' || how === '--full-nat' ? ':80' : ''} ${how}`,
      ),
    ];
  });
}

interface Probe {
  readonly device: number;
  readonly bytes: Uint8Array;
}
function probe(device: number, src: string, dst: string, ports: [number, number], udp: boolean, flags: string): Probe {
  const eth = packet().eth(device === 0 ? ROUTER : SERVER, DEVICES[device]!);
  const ip = src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst });
  const [sport, dport] = ports;
  const segment = udp ? ip.udp({ sport, dport }) : ip.tcp({ sport, dport, flags, seq: 2, ack: flags === 'S' ? 0 : 2 });
  return { device, bytes: segment.payload(Buffer.from('data')).bytes() };
}

const hexOf = (text: string) => Buffer.from(text.split(' ')[1]!, 'hex');

/** Opens connections of each kind. Returns later packets of both sides. */
function opened(pool: WorkerPool, kinds: readonly Kind[]): Probe[] {
  return kinds.flatMap(({ vip, how, udp = false as boolean }, k) =>
    Array.from({ length: 12 }, (_, n) => {
      const six = vip.includes(':');
      const client = six ? `2001:db8::1:${10 + n}` : `11.0.${n % 3}.${10 + n}`;
      const cport = 3000 + 100 * k + 7 * n;
      const [sent] = pool.give(n % pool.workers.length, 0, probe(0, client, vip, [cport, 80], udp, 'S').bytes);
      const more = probe(0, client, vip, [cport, 80], udp, 'A');
      if (how === '-g' || how === '-i') return [more];
      const frame = hexOf(sent!);
      const server = six ? (frame[14 + 39] === 0x11 ? 'fd00::11' : 'fd00::12') : [...frame.subarray(30, 34)].join('.');
      const [dst, dport] = how === '--full-nat' ? [POOL, frame.readUInt16BE(34)] : [client, cport];
      pool.give(0, 1, probe(1, server, dst, [80, dport], udp, 'SA').bytes);
      pool.give(0, 0, more.bytes);
      return [more, probe(1, server, dst, [80, dport], udp, 'A')];
    }).flat(),
  );
}

function memory(): TableMemory {
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes), offset: 0 });
  return { lines: block(linesBytes(LINES)), seals: block(sealsBytes(LINES)), shifts: block(shiftsBytes(LINES)) };
}
const tableOn = (one: TableMemory, i: number) => new ConnectionTable(LINES, one, Int32Array.of(5, 7 + i, 9));

/** As a restart with `count` workers. */
async function restarted(from: WorkerPool, count: number, text: string): Promise<WorkerPool> {
  const memories = Array.from({ length: count }, memory);
  const stages = from.workers[0]!.dispatch!.steering.stages;
  const services = configs(from.workers[0]!.inner);
  const steering = { secret: POOL_SECRET, stages, services, ftp: [21] };
  const placement = new Placement(from.workers.length, count, steering);
  const transfer = new Transfer(memories.map(tableOn), placement.ownerOf);
  from.workers.forEach(({ director }, i) => void transfer.take(director.connections.table, i));
  expect([transfer.lost, transfer.unfit]).toEqual([0, 0]);
  const pool = await WorkerPool.of(count, text, memories.map(tableOn));
  for (const { director, dispatch } of pool.workers) {
    expect(new Rebuild(director.connections).step(100_000)).toBe(true);
    dispatch!.steering.stages = placement.stages ?? stages;
  }
  return pool;
}

afterEach(silence);

it.each([
  ['by address and port', KINDS],
  ['by networks of clients', STICKY],
])('packets leave as before after restarts with other numbers of workers, shared %s', async (_, kinds) => {
  const random = new Random(5);
  const text = config(rulesOf(kinds));
  const first = await WorkerPool.of(1, text, [tableOn(memory(), 9)]);
  const probes = opened(first, kinds);
  const wanted = probes.map(({ device, bytes }) => first.give(0, device, bytes));
  expect(wanted.every((frames) => frames.length === 1)).toBe(true);
  let pool = first;
  for (const count of [2, 1, 3, 2, 4, 1]) {
    pool = await restarted(pool, count, text);
    const out = probes.map(({ device, bytes }) => pool.give(random.below(count), device, bytes));
    expect(out).toEqual(wanted);
    expect(pool.sum(({ director }) => (director.connections.table.live > 0 ? 1 : 0))).toBe(count);
  }
});
