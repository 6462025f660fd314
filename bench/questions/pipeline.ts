/**
 * How fast is the packet path, without any wire? The reference is the same work in C
 * (bench/reference) in two variants. Each case runs in turns with both; a ratio is to the better
 * one.
 *
 *     node --expose-gc build/bench/questions/pipeline.js [--quick] ['flood v4' | 'v6 1000 flows' | 'trace' | …]
 */
import { execFileSync } from 'node:child_process';
import { median } from '../../src/lab/median.js';
import { orQuick, WORDS } from '../support/options.js';
import { established, firstFlow, traffic } from '../support/paths.js';
import { buildReferences, program, REFERENCES } from '../support/references.js';
import { type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { FRAMES, type Path, Subject, VIPS } from '../support/subject.js';
import { clientOf, type Family, Template } from '../support/traffic.js';

const ROUNDS = orQuick(5, 1);
const PACKETS = FRAMES << orQuick(10, 7);
const LEAD = FRAMES << orQuick(8, 5);
const FLOWS = orQuick([1_000, 100_000, 1_000_000], [1_000]);
/** With more flows the table cannot hold the connections of all paths at once. */
const FEW = 100_000;
const TOGETHER: readonly (readonly Path[])[] = [['natin', 'natout', 'dr', 'tun']];
const APART: readonly (readonly Path[])[] = [['natin', 'natout'], ['dr'], ['tun']];
const SYN = 0x02;
const LIVE_MS = 60_000;
const FLOOD_LIVE = 1_000_000;
const AGAINST = 'better C';
const skips = new Skips();

/** Million packets a second of each variant, by its name; no variants where gcc is missing. */
type References = Readonly<Record<string, number[]>>;

function noRuns(): References {
  return skips.has(AGAINST) ? {} : Object.fromEntries(Object.keys(REFERENCES).map((name) => [name, []]));
}

/** Runs each variant once. */
function runReferences(to: References, path: string, family: Family, flows: number): void {
  for (const [name, found] of Object.entries(to))
    found.push(
      Number(execFileSync(program(name), [path, `${family}`, `${flows}`, `${PACKETS}`], { encoding: 'utf8' })),
    );
}

/**
 * Million packets a second over PACKETS packets. The LEAD packets before them are not measured.
 * They warm the processor's caches: the reference ran in between and evicted the connections of
 * ulvs. The reference creates its own connections just before it measures, so its caches are warm.
 */
function measure(subject: Subject, device: 0 | 1, template: Template, flow: () => number, step = 0): number {
  drive(subject, device, template, flow, step, LEAD);
  const ms = drive(subject, device, template, flow, step, PACKETS);
  subject.check();
  return PACKETS / ms / 1000;
}

/** Runs `packets` packets, a multiple of FRAMES. Returns their processor time in ms. */
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

/**
 * Runs the paths in turns, so that other load on the machine disturbs all of them alike. `natout`
 * uses the connections of `natin`.
 */
function runPaths(subject: Subject, paths: readonly Path[], family: Family, flows: number): Row[] {
  for (const path of paths) if (path !== 'natout') established(subject, path, family, flows);
  const lanes = paths.map((path) => ({
    path,
    ...traffic(path, family, flows),
    ours: [] as number[],
    theirs: noRuns(),
  }));
  for (let round = 0; round < ROUNDS; round++)
    for (const { path, template, flow, ours, theirs } of lanes) {
      runReferences(theirs, path, family, flows);
      ours.push(measure(subject, path === 'natout' ? 1 : 0, template, flow));
    }
  subject.clear();
  const rows = lanes.map(({ path, ours, theirs }) => row(`${path} v${family}, ${flows} flows`, ours, theirs));
  const dr = lanes.find(({ path }) => path === 'dr');
  if (dr === undefined) return rows;
  const nat = lanes.filter(({ path }) => path.startsWith('nat'));
  return rows.concat(nat.map(({ path, ours }) => rowOf(`${path} v${family}, ${flows} flows, of DR's`, ours, dr.ours)));
}

function row(text: string, ours: readonly number[], theirs: References): Row {
  const references = Object.fromEntries(Object.entries(theirs).map(([name, found]) => [name, median(found)]));
  const all = Object.values(references);
  const reference = all.length > 0 ? Math.max(...all) : undefined;
  return { case: text, value: median(ours), unit: 'Mpps', reference, references };
}

/** Compares two medians of ulvs. */
function rowOf(text: string, ours: readonly number[], others: readonly number[]): Row {
  return { case: text, value: median(ours), unit: 'Mpps', reference: median(others) };
}

/**
 * Each packet comes from a new client. The clock moves so that a million half-open connections are
 * alive and as many end as begin.
 */
function runFlood(subject: Subject, family: Family): Row {
  const end = { address: VIPS.dr[family === 4 ? 0 : 1], port: 80 };
  const syn = new Template(family, false, end, SYN, '02:00:00:00:0d:00');
  const step = (LIVE_MS * 64) / FLOOD_LIVE;
  let sequence = 0;
  const flow = () => sequence++ & 0xffffff;
  // The first million fills the table. From the second on, as many connections end as begin.
  for (let i = 0; i < 2; i++) measure(subject, 0, syn, flow, step);
  const ours: number[] = [];
  const theirs = noRuns();
  for (let round = 0; round < ROUNDS; round++) {
    runReferences(theirs, 'flood', family, FLOOD_LIVE);
    ours.push(measure(subject, 0, syn, flow, step));
  }
  subject.clear();
  return row(`SYN flood v${family}`, ours, theirs);
}

/**
 * Cost of a trace for the packets that its filter does not match: a filter for one flow, and a
 * filter that matches nothing. In turns with the same director untraced, which is the reference.
 * Both take the fast path.
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
    rowOf(`${text}, one traced, of untraced`, one, untraced),
    rowOf(`${text}, none traced, of untraced`, none, untraced),
  ];
}

/**
 * Runs every path once, so that V8 compiles all of them with type feedback from all of them, as in
 * a running director.
 */
function warmUp(subject: Subject): void {
  for (const family of [4, 6] as const)
    for (const path of ['natin', 'natout', 'dr', 'tun'] as const) {
      established(subject, path, family, 1000);
      const { template, flow } = traffic(path, family, 1000);
      measure(subject, path === 'natout' ? 1 : 0, template, flow);
      subject.clear();
    }
}

/**
 * `wanted`: the beginning of the names of the cases to run, such as `flood v4`, `v6 1000 flows` or
 * `trace`. The empty text runs all cases.
 */
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
  try {
    buildReferences();
  } catch (error) {
    skips.add(AGAINST, error);
  }
  const subject = await Subject.create(4_200_000);
  warmUp(subject);
  const rows = run(subject, WORDS[0]);
  report({ name: 'pipeline', title: 'Packet path in memory', against: AGAINST, rows, skipped: skips.all });
}

await main();
