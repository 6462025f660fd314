/**
 * Packets after a damage. A director has connections of each kind; its memory is damaged; another one rebuilds the
 * index and gets packets of these connections. Each packet must leave as it would have left before, or as one without a
 * connection does, or not at all. A wrong address, port, sequence number or payload fails.
 *
 *     opened ─► image ─► copy, damage ─► rebuild ─► a packet ─► what leaves ∈ { kept, fresh, nothing }
 */
import { expect, it } from 'vitest';
import { Connections } from '../../../src/conntrack/connections.js';
import { linesBytes, sealsBytes, shiftsBytes, type TableMemory } from '../../../src/conntrack/memory.js';
import { Rebuild } from '../../../src/conntrack/rebuild/rebuild.js';
import { ConnectionTable } from '../../../src/conntrack/table.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { apply } from '../../../src/control/engine/apply.js';
import { addLinks, addNeighbours, settings, staticRoutes } from '../../../src/control/engine/static-network.js';
import type { Action } from '../../../src/control/rules/actions.js';
import { Director, tickOf } from '../../../src/dataplane/director.js';
import { processBatch } from '../../../src/dataplane/ingress.js';
import { compileRoutes } from '../../../src/dataplane/table/compiled-routes.js';
import { Batch } from '../../../src/device/batch.js';
import { Umem } from '../../../src/device/umem.js';
import {
  DESTINATION_DEFAULTS,
  type ForwardingMethod,
  SERVICE_DEFAULTS,
  SVC_PERSISTENT,
  TCP,
  UDP,
} from '../../../src/service/config.js';
import { Counters } from '../../../src/stats/counters.js';
import { packet } from '../../support/packet.js';
import type { TcpWords } from '../../support/packet-words.js';
import { Random } from '../../support/seed.js';

/** Runs; `ULVS_RUNS=1000000` for a long one. */
const RUNS = Number(process.env.ULVS_RUNS ?? 2000);
const LINES = 96;
const ENTRY_BYTES = 64;
const SECRET = Int32Array.of(0x1234567, 0x89abcde, 0x5ec7e7);
const CLIENT = '02:00:00:00:c0:01';
const SERVER = '02:00:00:00:a0:11';
const DIRECTOR = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;
const POOL = '192.168.1.240';

const config = parseConfig(
  `
devices:
  - { name: eth0, mac: ${DIRECTOR[0]}, addresses: [10.0.0.254/24, "2001:db8::254/64"] }
  - { name: eth1, mac: ${DIRECTOR[1]}, addresses: [192.168.1.254/24, "2001:db8:1::254/64"] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: ${CLIENT} }
  - { ip: "2001:db8::1", dev: eth0, mac: ${CLIENT} }
  - { ip: 192.168.1.11, dev: eth1, mac: ${SERVER} }
  - { ip: 192.168.1.12, dev: eth1, mac: ${SERVER} }
  - { ip: "2001:db8:1::11", dev: eth1, mac: ${SERVER} }
accept: { sources: [${POOL}], toa: false }
`,
  'damage.yaml',
);

interface Kind {
  readonly protocol: number;
  readonly vip: string;
  readonly port: number;
  readonly method: ForwardingMethod;
  readonly flags?: number;
  readonly servers?: readonly string[];
}

const KINDS: readonly Kind[] = [
  { protocol: TCP, vip: '10.0.0.100', port: 80, method: 'masq', servers: ['192.168.1.11', '192.168.1.12'] },
  { protocol: UDP, vip: '10.0.0.100', port: 53, method: 'masq' },
  { protocol: TCP, vip: '10.0.0.100', port: 21, method: 'masq' },
  { protocol: TCP, vip: '10.0.0.101', port: 80, method: 'gatewaying' },
  { protocol: TCP, vip: '10.0.0.102', port: 80, method: 'ipip' },
  { protocol: TCP, vip: '10.0.0.103', port: 80, method: 'masq', flags: SVC_PERSISTENT },
  { protocol: TCP, vip: '10.0.0.104', port: 80, method: 'fullnat' },
  { protocol: TCP, vip: '2001:db8::100', port: 80, method: 'masq' },
];

/** Source hashing, so that a client without a connection gets the destination that it had. */
const actions = KINDS.flatMap(({ protocol, vip, port, method, flags = 0, servers }, slot): Action[] => {
  const key = { protocol, address: vip, port };
  const timeout = flags === 0 ? 0 : 300;
  const first = [vip.includes(':') ? '2001:db8:1::11' : '192.168.1.11'];
  return [
    { kind: 'addService', slot, service: { ...SERVICE_DEFAULTS, key, scheduler: 'sh', flags, timeout } },
    ...(servers ?? first).map((address, i): Action => {
      const destination = { ...DESTINATION_DEFAULTS, address, port, method };
      return { kind: 'addDestination', slot: slot * 4 + i, serviceSlot: slot, destination, revived: false };
    }),
  ];
});

function memory(): TableMemory {
  const block = (bytes: number) => ({ buffer: new SharedArrayBuffer(bytes), offset: 0 });
  return { lines: block(linesBytes(LINES)), seals: block(sealsBytes(LINES)), shifts: block(shiftsBytes(LINES)) };
}
const PARTS = ['lines', 'seals', 'shifts'] as const;

const umem = new Umem(256);
const counters = new Counters();

const NOW = 1000;

/** A director whose connections lie in `memory`. */
class Box {
  readonly director: Director;
  private readonly batch = new Batch();

  constructor(private readonly memory: TableMemory) {
    this.director = new Director(umem, counters, new ConnectionTable(LINES, memory, SECRET), NOW);
    const d = this.director;
    addLinks(
      d,
      config.devices.map((device) => ({
        ...device,
        mac: device.mac!,
        shared: false,
        exclusive: false,
        resolves: true,
      })),
    );
    settings(d, config);
    addNeighbours(d, config);
    d.router.replace(compileRoutes(staticRoutes(config)));
    apply(d, actions);
  }

  /** As a new process: goes on with the connections that lie in the memory. */
  restart(): this {
    const d = this.director;
    counters.gauges.fill(0, 0, 1024);
    const table = new ConnectionTable(LINES, this.memory, SECRET);
    Object.assign(d, { connections: new Connections(table, d.dests, tickOf(NOW)), fastPath: undefined });
    d.connections.helperPorts = config.helpers.ftp;
    const rebuild = new Rebuild(d.connections);
    for (let n = 0; !rebuild.step(1000); n++) if (n > 10) throw new Error('the rebuild does not end');
    return this;
  }

  /** What leaves, as hex. The identification of tunnel headers counts up and is left out. */
  sends(device: number, bytes: Uint8Array): string[] {
    const { links } = this.director;
    this.batch.push(umem.put(bytes), bytes.length);
    processBatch(this.director, device, this.batch);
    const out: string[] = [];
    for (const { output, index } of links) {
      for (let i = 0; i < output.n; i++) {
        const at = output.offsets[i]!;
        out.push(`${index} ${frameText(umem.u8.slice(at, at + output.lengths[i]!))}`);
        umem.free(at);
      }
      output.n = 0;
    }
    return out;
  }
}

function frameText(frame: Uint8Array): string {
  if (frame[12] === 8 && frame[23] === 4) frame.fill(0, 18, 20).fill(0, 24, 26);
  return Buffer.from(frame.buffer, frame.byteOffset, frame.length).toString('hex');
}

/** A frame on a link; each connection has a client port of its own. */
interface Probe {
  readonly device: 0 | 1;
  readonly bytes: Uint8Array;
}

function probe(
  device: 0 | 1,
  src: string,
  dst: string,
  protocol: number,
  ports: [number, number],
  words: Words,
): Probe {
  const eth = packet().eth(device === 0 ? CLIENT : SERVER, DIRECTOR[device]);
  const ip = src.includes(':') ? eth.ipv6({ src, dst }) : eth.ipv4({ src, dst });
  const { data = '', ...rest } = words;
  const [sport, dport] = ports;
  const segment =
    protocol === UDP ? ip.udp({ sport, dport }) : ip.tcp({ sport, dport, flags: 'A', seq: 1, ack: 1, ...rest });
  return { device, bytes: segment.payload(Buffer.from(data)).bytes() };
}
type Words = Partial<TcpWords> & { data?: string };

/** Ports of the address that full NAT chose for a client port. */
const translated = new Map<number, number>();

/** Packets of a connection: of the client, of its server. */
function client({ protocol, vip, port }: Kind, sport: number, words: Words): Probe {
  const src = vip.includes(':') ? '2001:db8::1' : '10.0.0.1';
  return probe(0, src, vip, protocol, [sport, port], words);
}
function server(kind: Kind, from: string, sport: number, words: Words): Probe {
  const { protocol, vip, port, method } = kind;
  const dst = method === 'fullnat' ? POOL : vip.includes(':') ? '2001:db8::1' : '10.0.0.1';
  return probe(1, from, dst, protocol, [port, translated.get(sport) ?? sport], words);
}

const PASV = '227 Entering Passive Mode (192,168,1,11,200,10)\r\n';

/** Opens three connections of each kind. Returns later packets of them. */
function opened(box: Box): Probe[] {
  return KINDS.flatMap((kind, k) =>
    [0, 1, 2].flatMap((n) => {
      const sport = 4000 + 10 * k + n;
      const [first] = box.sends(0, client(kind, sport, { flags: 'S', ack: 0 }).bytes);
      const frame = Buffer.from(first!.slice(2), 'hex');
      const isV6 = kind.vip.includes(':');
      if (kind.method === 'fullnat') translated.set(sport, frame.readUInt16BE(34));
      const from = isV6 ? '2001:db8:1::11' : `192.168.1.${frame[33]}`;
      const answers = kind.method === 'masq' || kind.method === 'fullnat';
      if (answers) box.sends(1, server(kind, from, sport, { flags: 'SA', seq: 1, ack: 2 }).bytes);
      box.sends(0, client(kind, sport, { seq: 2, ack: 2 }).bytes);
      const isFtp = kind.port === 21;
      if (isFtp) {
        box.sends(0, client(kind, sport, { seq: 2, ack: 2, data: 'PASV\r\n' }).bytes);
        box.sends(1, server(kind, from, sport, { seq: 2, ack: 8, data: PASV }).bytes);
      }
      const [seq, ack] = isFtp ? [8, 2 + PASV.length] : [2, 2];
      return [
        client(kind, sport, { seq, ack, data: 'more' }),
        ...(answers ? [server(kind, from, sport, { seq: ack, ack: seq + 4, data: 'answer' })] : []),
      ];
    }),
  );
}

/** Damages of memory that nobody meant. */
const DAMAGES: readonly ((random: Random, bytes: Uint8Array) => void)[] = [
  (random, bytes) => bytes.fill(0, random.below(bytes.length)),
  (random, bytes) => {
    for (let n = 1 + random.below(30); n > 0; n--) bytes[random.below(bytes.length)] = random.u8();
  },
  (random, bytes) => {
    for (let n = 1 + random.below(6); n > 0; n--) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
  },
  (random, bytes) => {
    const at = random.below(bytes.length);
    for (let i = at; i < Math.min(bytes.length, at + 200); i++) bytes[i] = random.u8();
  },
  (random, bytes) => {
    const line = () => random.below(bytes.length / ENTRY_BYTES) * ENTRY_BYTES;
    for (let n = 1 + random.below(4); n > 0; n--) {
      const from = line();
      bytes.copyWithin(line(), from, from + ENTRY_BYTES);
    }
  },
];

it(`after ${RUNS} damages each packet leaves as it must, or not at all`, { timeout: 30_000 + 2 * RUNS }, () => {
  const first = memory();
  const probes = opened(new Box(first));
  const bytesOf = (of: TableMemory) => PARTS.map((part) => new Uint8Array(of[part]!.buffer));
  const images = bytesOf(first).map((bytes) => bytes.slice());
  const second = memory();
  const present = bytesOf(second);
  const restore = () => present.forEach((bytes, i) => void bytes.set(images[i]!));
  restore();
  const box = new Box(second).restart();
  const wanted = probes.map(({ device, bytes }) => box.sends(device, bytes).join());
  expect(wanted.filter((text) => text !== '').length).toBe(probes.length);
  const fresh = probes.map(({ device, bytes }) => new Box(memory()).sends(device, bytes).join());
  const random = new Random(11);
  const seen = { kept: 0, other: 0 };
  for (let run = 0; run < RUNS; run++) {
    restore();
    const part = random.below(8);
    random.pick(DAMAGES)(random, present[part < 6 ? 0 : part === 6 ? 1 : 2]!);
    box.restart();
    for (let n = 0; n < 6; n++) {
      const i = random.below(probes.length);
      const { device, bytes } = probes[i]!;
      const out = box.sends(device, bytes).join();
      if (out === wanted[i]) seen.kept++;
      else if (out === '' || out === fresh[i]) seen.other++;
      else expect.fail(`run ${run}: probe ${i}: ${out}\n not ${wanted[i]}\n nor ${fresh[i]}`);
    }
  }
  expect(seen.kept).toBeGreaterThan(RUNS);
  expect(seen.other).toBeGreaterThan(RUNS / 10);
});
