/**
 * Targets: frames of any kind, singly and in batches. The fast path and the slow path alone get the
 * same; what they send, count and remember must be equal.
 *
 * `frames`: services of every kind, no time passes. `timeline`: the configurations of recorded
 * scenarios (FTP, SIP, persistence, fragments, states), time passes, rules change.
 */
import { readFileSync } from 'node:fs';
import { ConnectionTable } from '../../../src/conntrack/table.js';
import { type Config, loadConfig, parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { Trace } from '../../../src/dataplane/trace/trace.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { text } from '../../dataplane/fastpath/network.js';
import { anyFrame, between } from '../../dataplane/fastpath/traffic.js';
import { Random } from '../../support/seed.js';
import type { Session, Target } from '../engine/target.js';
import { framesOf, scenarios } from './bytes.js';
import { FrameSide, guardedUmem } from './frame-side.js';
import { inputOf, mutateRecords, REPLY, type Rec, recordsOf, replyTo, STEPS } from './frames-input.js';

const CHANGES = [
  '-d -t 10.0.0.100:80 -r 192.168.1.12:8080',
  '-a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m',
  '-e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 0',
  '-e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 3',
  '-E -t 10.0.0.100:80 -s sh',
  '-E -t 10.0.0.100:80 -s wlc -p 60',
  '-D -t 10.0.0.101:80',
  '-A -t 10.0.0.101:80 -s lc',
  '-a -t 10.0.0.101:80 -r 192.168.1.11 -i',
];
const LINE = 4;

class Pair implements Session {
  private inputs = 0;
  constructor(
    private readonly fast: FrameSide,
    private readonly slow: FrameSide,
    private readonly timed: boolean,
  ) {}

  async run(input: Uint8Array): Promise<void> {
    const records = recordsOf(input);
    this.fast.left = [];
    this.slow.left = [];
    for (let at = 0; at < records.length; ) at = await this.turn(records, at);
    this.compare();
    if (++this.inputs % 16 === 0) this.sums();
  }

  /** Takes the records that are one batch; returns where the next begins. */
  private async turn(records: readonly Rec[], from: number): Promise<number> {
    const { kind, time } = records[from]!;
    const step = STEPS[time % STEPS.length]!;
    if (this.timed && step > 0) for (const side of [this.fast, this.slow]) side.pass(step);
    const device = (kind & 1) % this.fast.links;
    let at = from;
    for (; at < records.length; at++) {
      const one = records[at]!;
      if (at > from && ((one.kind & 1) % this.fast.links !== device || STEPS[one.time % STEPS.length]! > 0)) break;
      if (this.timed && (one.kind & LINE) !== 0) await this.change(one.bytes[0] ?? 0);
      else this.put(one, device);
    }
    this.fast.turn(device);
    this.slow.turn(device);
    return at;
  }

  private put({ kind, bytes }: Rec, device: number): void {
    let frame = bytes;
    if ((kind & REPLY) !== 0) {
      const sent = this.slow.lately.filter((one) => one.device === device);
      if (sent.length === 0) return;
      frame = replyTo(sent.at(-1 - ((bytes[0] ?? 0) % sent.length))!.bytes, bytes[1] ?? 0x12);
    }
    this.fast.put(frame);
    this.slow.put(frame);
  }

  private async change(number: number): Promise<void> {
    const line = { file: 'fuzz', line: 1, text: CHANGES[number % CHANGES.length]! };
    for (const { inner } of [this.fast, this.slow])
      await loadRules({ ...inner.config, ruleLines: [line] }, inner).catch(() => {});
  }

  private compare(): void {
    const [fast, slow] = [this.fast.left, this.slow.left];
    if (fast.length !== slow.length)
      throw new Error(`the fast path sent ${fast.length} frames, the slow ${slow.length}`);
    for (const [i, { device, bytes }] of fast.entries())
      if (device !== slow[i]!.device || Buffer.compare(bytes, slow[i]!.bytes) !== 0)
        throw new Error(`frame ${i}: fast ${device} ${hex(bytes)}, slow ${slow[i]!.device} ${hex(slow[i]!.bytes)}`);
    const [a, b] = [this.fast.numbers(), this.slow.numbers()];
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) throw new Error(`counter ${i}: fast ${a[i]}, slow ${b[i]}`);
  }

  private sums(): void {
    this.fast.sums();
    this.slow.sums();
  }

  check(): void {
    this.sums();
    for (const side of [this.fast, this.slow]) side.guarded();
    const slow = this.slow.tables();
    for (const [i, table] of this.fast.tables().entries())
      if (table.compare(slow[i]!) !== 0) throw new Error(`table ${i} differs: ${differs(table, slow[i]!)}`);
    if (this.inputs % 1024 < 64) for (const side of [this.fast, this.slow]) side.nothingLeaks();
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function differs(a: Buffer, b: Buffer): string {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return `byte ${at} of ${a.length} and ${b.length}`;
}

async function side(config: Config, isFast: boolean): Promise<FrameSide> {
  const table = new ConnectionTable(config.connections.max);
  const inner = new InProcessDirector(config, () => {}, 0, guardedUmem(), table);
  await loadRules(config, inner);
  return new FrameSide(inner, isFast);
}

async function pair(config: Config, timed: boolean, traced: boolean): Promise<Pair> {
  const slow = await side(config, false);
  // A trace must change nothing.
  const all = { filter: { kind: 'all' }, dropsOnly: false, count: Number.POSITIVE_INFINITY } as const;
  const { director } = slow.inner;
  if (traced) director.trace = new Trace(director, all, () => {});
  return new Pair(await side(config, true), slow, timed);
}

const SIX = '-A -t [2001:db8::100]:80 -s rr\n-a -t [2001:db8::100]:80 -r [2001:db8:1::11]:8080 -m';
const FULL = '-A -t 10.0.0.102:80 -s rr\n-a -t 10.0.0.102:80 -r 192.168.1.11:8080 --full-nat';
const NETWORKS = [
  {},
  { rules: SIX },
  { config: 'accept: { sources: [192.168.1.240] }\nconnections: { max: 40 }', rules: FULL },
  {
    config:
      'snat: [ { from: 192.168.1.0/24, to: 10.0.0.200 } ]\nsysctl: { sloppy_tcp: 1, secure_tcp: 3, drop_packet: 3 }',
  },
  { config: 'marks: [ "-p tcp --dport 5000 -j MARK --set-mark 7" ]\ntimeouts: { tcp: 5, tcpfin: 2, udp: 3 }' },
].map((network) => parseConfig(text(network), 'test.yaml'));

function frameSeeds(): Uint8Array[] {
  const random = new Random(5);
  const six = ['2001:db8::1', '2001:db8::100', { sport: 1000, dport: 80 }] as const;
  const singles = Array.from(
    { length: 300 },
    (_, i): Rec => ({ kind: i & 1, time: 0, bytes: anyFrame(random, i & 1) }),
  );
  const talk: Rec[] = [
    { kind: 0, time: 0, bytes: between(random, 0, '10.0.0.1', '10.0.0.100', { sport: 1001, dport: 80 }) },
    { kind: 1 | REPLY, time: 0, bytes: Uint8Array.of(0, 0x12) },
    { kind: REPLY, time: 0, bytes: Uint8Array.of(0, 0x10) },
    { kind: 0, time: 0, bytes: between(random, 0, ...six) },
  ];
  return [inputOf(talk), ...singles.map((one) => inputOf([one]))];
}

const SUBJECTS = ['ftp', 'sip', 'frag', 'persist', 'state', 'icmp', 'xmit', 'mtu', 'life', 'found', 'odd'];
const FOLDERS = SUBJECTS.flatMap(scenarios);

function timelineSeeds(): Uint8Array[] {
  return FOLDERS.flatMap((folder) => {
    const names = new Map(loadNames(folder).map((name, i) => [name, i]));
    const records = framesOf(folder)
      .filter(({ bytes }) => bytes.length <= 1700)
      .map(({ device, bytes }): Rec => ({ kind: names.get(device) ?? 0, time: 6, bytes }));
    return Array.from({ length: Math.ceil(records.length / 8) }, (_, i) => inputOf(records.slice(8 * i, 8 * i + 8)));
  });
}

const namesIn = (yaml: string) => [...yaml.matchAll(/- \{ name: (\w+)/g)].map((found) => found[1]!);
function loadNames(folder: string): string[] {
  return namesIn(readFileSync(`${folder}/director.yaml`, 'utf8'));
}

const PATH = ['dataplane', 'conntrack', 'schedulers', 'persistence', 'service', 'wire', 'stats'];

export const FRAMES: Target = {
  name: 'frames',
  about: 'frames in batches, fast path against slow path',
  covers: PATH,
  epoch: 4096,
  seeds: frameSeeds,
  mutate: (random, input, other) => mutateRecords(random, input, other, false),
  begin: (epoch) => pair(NETWORKS[epoch % NETWORKS.length]!, false, epoch % 7 === 6),
};

export const TIMELINE: Target = {
  name: 'timeline',
  about: 'frames, time and changes of rules, fast path against slow path',
  covers: PATH,
  epoch: 2048,
  seeds: timelineSeeds,
  mutate: (random, input, other) => mutateRecords(random, input, other, true),
  begin: (epoch) => {
    const folder = FOLDERS[(epoch * 37) % FOLDERS.length]!;
    return pair(loadConfig(`${folder}/director.yaml`), true, epoch % 7 === 6);
  },
};
