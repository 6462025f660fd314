/**
 * How fast is the packet path, without any wire? Against the same work in C (bench/reference), each case in turns with it.
 *
 *     node --expose-gc build/bench/questions/pipeline.js [--quick] ['flood v4' | 'v6 1000 flows' | 'trace' | …]
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { orQuick, WORDS } from '../support/options.js';
import { median, type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { FRAMES, type Path, Subject, VIPS } from '../support/subject.js';
import { clientOf, type Family, Order, Template } from '../support/traffic.js';

const ROUNDS = orQuick(5, 1);
const PACKETS = FRAMES << orQuick(10, 7);
const LEAD = FRAMES << orQuick(8, 5);
const FLOWS = orQuick([1_000, 100_000, 1_000_000], [1_000]);
/** With more flows the table does not hold the connections of all paths at once. */
const FEW = 100_000;
const TOGETHER: readonly (readonly Path[])[] = [['natin', 'natout', 'dr', 'tun']];
const APART: readonly (readonly Path[])[] = [['natin', 'natout'], ['dr'], ['tun']];
const REFERENCE = 'build/pipeline-c';
const SYN = 0x02;
const ACK = 0x10;
const LIVE_MS = 60_000;
const FLOOD_LIVE = 1_000_000;
const AGAINST = 'C -O2';
const skips = new Skips();

function buildReference(): void {
  const folder = 'bench/reference';
  mkdirSync('build', { recursive: true });
  try {
    execFileSync('gcc', ['-O2', '-o', REFERENCE, `${folder}/pipeline.c`, `${folder}/director.c`], { stdio: 'inherit' });
  } catch (error) {
    skips.add(AGAINST, error);
  }
}

/** Million packets a second in C; nothing where it could not be compiled. */
function reference(path: string, family: Family, flows: number): number[] {
  if (skips.has(AGAINST)) return [];
  return [Number(execFileSync(REFERENCE, [path, `${family}`, `${flows}`, `${PACKETS}`], { encoding: 'utf8' }))];
}

/**
 * Million packets a second of PACKETS. Those of the lead do not count: the reference, which ran in between, has made its own
 * connections just before it measures, and left ours cold.
 */
function measure(subject: Subject, device: 0 | 1, template: Template, flow: () => number, step = 0): number {
  drive(subject, device, template, flow, step, LEAD);
  const ms = drive(subject, device, template, flow, step, PACKETS);
  subject.check();
  return PACKETS / ms / 1000;
}

/** So many packets, a multiple of FRAMES; returns the ms of processor time they took. */
function drive(
  subject: Subject,
  device: 0 | 1,
  template: Template,
  flow: () => number,
  step: number,
  packets: number,
): number {
  let ms = 0;
  for (let done = 0; done < packets; done += FRAMES) {
    subject.sources[device].fill(template, flow);
    ms += subject.run(step);
  }
  return ms;
}

/** Each service has clients of its own: one that has connections to all of them is another question (bench/support/walk.ts). */
function firstFlow(path: Path): number {
  return { natin: 0, natout: 0, dr: 1, tun: 2 }[path] << 22;
}

function established(subject: Subject, path: Path, family: Family, flows: number): void {
  const end = { address: VIPS[path][family === 4 ? 0 : 1], port: 80 };
  const syn = new Template(family, false, end, SYN, '02:00:00:00:0d:00');
  const first = firstFlow(path);
  let sequence = first;
  while (sequence < first + flows) {
    subject.sources[0].fill(syn, () => sequence++);
    subject.run();
  }
}

/** What a path's measured packets look like; a reply's source alternates as the flows' destinations do. */
function traffic(path: Path, family: Family, flows: number) {
  const order = new Order();
  const flow = () => firstFlow(path) + order.next(flows);
  const end = { address: VIPS[path][family === 4 ? 0 : 1], port: 80 };
  if (path !== 'natout') return { template: new Template(family, false, end, ACK, '02:00:00:00:0d:00'), flow };
  const from = { address: family === 4 ? '192.168.1.11' : '2001:db8:1::11', port: 8080 };
  return { template: new Template(family, true, from, ACK, '02:00:00:00:0d:01'), flow };
}

/** The paths take turns, so that what disturbs one disturbs the others; natout's connections are natin's. */
function runPaths(subject: Subject, paths: readonly Path[], family: Family, flows: number): Row[] {
  for (const path of paths) if (path !== 'natout') established(subject, path, family, flows);
  const lanes = paths.map((path) => ({
    path,
    ...traffic(path, family, flows),
    ours: [] as number[],
    theirs: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++)
    for (const { path, template, flow, ours, theirs } of lanes) {
      theirs.push(...reference(path, family, flows));
      ours.push(measure(subject, path === 'natout' ? 1 : 0, template, flow));
    }
  subject.clear();
  const rows = lanes.map(({ path, ours, theirs }) => row(`${path} v${family}, ${flows} flows`, ours, theirs));
  const dr = lanes.find(({ path }) => path === 'dr');
  if (dr === undefined) return rows;
  const nat = lanes.filter(({ path }) => path.startsWith('nat'));
  return rows.concat(nat.map(({ path, ours }) => row(`${path} v${family}, ${flows} flows, of DR's`, ours, dr.ours)));
}

function row(text: string, ours: readonly number[], theirs: readonly number[]): Row {
  return { case: text, value: median(ours), unit: 'Mpps', reference: theirs.length > 0 ? median(theirs) : undefined };
}

/** Each packet a new client; the clock moves so that a million half-open connections are alive and as many end as begin. */
function runFlood(subject: Subject, family: Family): Row {
  const end = { address: VIPS.dr[family === 4 ? 0 : 1], port: 80 };
  const syn = new Template(family, false, end, SYN, '02:00:00:00:0d:00');
  const step = (LIVE_MS * 64) / FLOOD_LIVE;
  let sequence = 0;
  const flow = () => sequence++ & 0xffffff;
  // The first million fills the table, the second is the first of which as many end as begin.
  for (let i = 0; i < 2; i++) measure(subject, 0, syn, flow, step);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(...reference('flood', family, FLOOD_LIVE));
    ours.push(measure(subject, 0, syn, flow, step));
  }
  subject.clear();
  return row(`SYN flood v${family}`, ours, theirs);
}

/**
 * What a trace costs the packets that it is not about: of one flow, and of none that comes. In turns with the same director
 * untraced, which is the reference; natin takes the fast path, tun the slow one.
 */
function runTraced(subject: Subject, path: 'natin' | 'tun'): Row[] {
  const flows = FLOWS.at(1) ?? FLOWS[0]!;
  established(subject, path, 4, flows);
  const { template, flow } = traffic(path, 4, flows);
  const { address, port } = clientOf(firstFlow(path) + 7);
  const traces = [undefined, `tcp and host ${address} and port ${port}`, 'udp and host 12.0.0.1'];
  const found = traces.map(() => [] as number[]);
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, filter] of traces.entries()) {
      subject.trace(filter);
      found[i]!.push(measure(subject, 0, template, flow));
    }
  subject.trace(undefined);
  subject.clear();
  const [untraced, one, none] = found as [number[], number[], number[]];
  const text = `${path} v4, ${flows} flows`;
  return [
    row(`${text}, one traced, of untraced`, one, untraced),
    row(`${text}, none traced, of untraced`, none, untraced),
  ];
}

/** Every path compiled, with the feedback of all of them: the director that runs has seen everything. */
function warmUp(subject: Subject): void {
  for (const family of [4, 6] as const)
    for (const path of ['natin', 'natout', 'dr', 'tun'] as const) {
      established(subject, path, family, 1000);
      const { template, flow } = traffic(path, family, 1000);
      measure(subject, path === 'natout' ? 1 : 0, template, flow);
      subject.clear();
    }
}

/** `wanted`: the beginning of what is to run, `flood v4`, `v6 1000 flows` or `trace`; everything without it. */
function run(subject: Subject, wanted = ''): Row[] {
  const rows: Row[] = [];
  for (const family of [4, 6] as const)
    for (const flows of FLOWS)
      if (`v${family} ${flows} flows`.startsWith(wanted))
        for (const paths of flows > FEW ? APART : TOGETHER) rows.push(...runPaths(subject, paths, family, flows));
  for (const family of [4, 6] as const) if (`flood v${family}`.startsWith(wanted)) rows.push(runFlood(subject, family));
  for (const path of ['natin', 'tun'] as const)
    if (`trace ${path}`.startsWith(wanted)) rows.push(...runTraced(subject, path));
  return rows;
}

async function main(): Promise<void> {
  buildReference();
  const subject = await Subject.create(4_200_000);
  warmUp(subject);
  const rows = run(subject, WORDS[0]);
  report({ name: 'pipeline', title: 'Packet path in memory', against: AGAINST, rows, skipped: skips.all });
}

await main();
