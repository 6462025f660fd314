/**
 * What delay does a director add, and what does it lose? A flood of 65,536 known flows between two
 * veths, at 10, 50 and 80 % of the rate that the contender forwards at most. One frame in 64 has a
 * time stamp. The wire, the flood and the sink are the same for all contenders; testpmd is an
 * ordinary process that does no more than forward.
 *
 * Each of `rounds` rounds, and after them once what is lost:
 *
 *     start ─► as fast as possible, twice ─► 10 % ─► 50 % ─► 80 % ─► next contender
 *     start ─► as fast as possible, twice ─► 80 % for `long` seconds ─► next contender
 *
 * Pauses of the machine's CPUs are measured beside each run (pauses.ts): the p99.9 that they alone
 * would make, and the delays of frames that no pause has touched. The contender `clock` is a
 * thread that only reads the clock: what the machine does to any thread of real-time priority.
 *
 * A figure is the median of the rounds, and `worst` the largest of them. `realtime` is the key
 * workerPriority of director.yaml. The results have the histogram of each round. `--add` keeps what
 * the results have of other contenders and of the other part, so that parts may be measured apart.
 *
 *     node build/bench/questions/latency.js [--quick] [--rounds 3] [--ms 4000] [--long 60] [--add]
 *                                           [--part all|delays|losses] [--only 'TEXT|TEXT…']     needs root
 */
import { parseArgs } from 'node:util';
import type { Histogram, Percentiles } from '../../src/lab/flood/delays.js';
import { type Flood, type FloodRun, loss, outRate, type Undisturbed } from '../../src/lab/flood/flood.js';
import type { PauseRun } from '../../src/lab/flood/pauses.js';
import type { MethodName } from '../../src/lab/flood/testbed.js';
import { median } from '../../src/lab/median.js';
import { interruption } from '../support/interruption.js';
import { orQuick, WORDS } from '../support/options.js';
import { formerResults, type Row, report } from '../support/result.js';
import { Skips } from '../support/skips.js';
import { clock, readClock } from '../support/wire/clock.js';
import type { Contender } from '../support/wire/contender.js';
import { forwarding } from '../support/wire/kernel.js';
import { flooded } from '../support/wire/round.js';
import { testpmd } from '../support/wire/testpmd.js';
import { ulvs, type Variant } from '../support/wire/ulvs.js';

const { values: options } = parseArgs({
  args: [...WORDS],
  options: {
    rounds: { type: 'string', default: orQuick('3', '1') },
    ms: { type: 'string', default: orQuick('4000', '500') },
    long: { type: 'string', default: orQuick('60', '2') },
    part: { type: 'string', default: 'all' },
    only: { type: 'string', default: '' },
    add: { type: 'boolean', default: false },
  },
});
const NAME = 'latency';
const FLOWS = { clients: 1024, ports: 64, pauses: true };
const SHARES = [10, 50, 80];
/** The share of the highest rate at which loss is measured, %. */
const HIGH = 80;
const WARM_UP_MS = 2000;
const TOLERATED = 0.01;
const PERCENTILES = ['p50', 'p99', 'p999'] as const;
const TITLES = { p50: 'p50', p99: 'p99', p999: 'p99.9' } as const;

type Delays = Pick<Percentiles, (typeof PERCENTILES)[number]>;

/** What is kept of a run: rate in kpps, loss in %, delays in µs. */
interface Kept {
  readonly contender: string;
  readonly part: 'delays' | 'losses';
  readonly share: number;
  readonly kpps: number;
  readonly lost: number;
  readonly seconds: number;
  readonly delays: Delays;
  readonly histogram: Histogram;
  /** What the machine itself did meanwhile, and frames that it did not delay. */
  readonly pauses: PauseRun;
  readonly undisturbed?: Undisturbed;
}

const ours = (device: 'xdp' | 'packet', method: MethodName, variant: Variant = {}) =>
  ulvs(device, method, FLOWS.clients * FLOWS.ports, variant);
const realtime = { realtime: true };
const reference = testpmd('net_af_xdp');
const offload = { offload: true };
const lossy = [{}, realtime, offload].flatMap((variant) => [ours('xdp', 'nat', variant), ours('xdp', 'dr', variant)]);
const contenders: readonly Contender[] = [
  reference,
  forwarding,
  ...lossy,
  ours('packet', 'nat'),
  ours('packet', 'nat', realtime),
  ours('packet', 'nat', offload),
  clock,
];
const chosen = ({ name }: Contender) => options.only.split('|').some((text) => name.includes(text));

const signal = interruption();
const skips = new Skips();

/** Floods a contender as fast as possible, twice. `runs` gets the flood and the second rate. */
function measure(contender: Contender, runs: (flood: Flood, highest: number) => Promise<Kept[]>): Promise<Kept[]> {
  return flooded(contender, FLOWS, signal, async (flood) => {
    await flood.run(0, WARM_UP_MS);
    return runs(flood, outRate(await flood.run(0, WARM_UP_MS)));
  });
}

function delaysOf(contender: Contender): Promise<Kept[]> {
  return measure(contender, async (flood, highest) => {
    const kept: Kept[] = [];
    for (const share of SHARES) {
      const run = () => flood.run(Math.round((highest * share) / 100), Number(options.ms), share / 100);
      kept.push(contender === clock ? await besideClock(share, run) : keep(contender, 'delays', share, await run()));
    }
    return kept;
  });
}

/** The delays are those that the machine makes by itself, whatever forwards. */
async function besideClock(share: number, run: () => Promise<FloodRun>): Promise<Kept> {
  const [waits, { undisturbed: _, ...flood }] = await Promise.all([readClock(Number(options.ms), share / 100), run()]);
  return keep(clock, 'delays', share, { ...flood, delays: { ...flood.delays, ...waits }, histogram: [] });
}

function lossesOf(contender: Contender): Promise<Kept[]> {
  return measure(contender, async (flood, highest) => {
    const run = await flood.run(Math.round((highest * HIGH) / 100), 1000 * Number(options.long));
    return [keep(contender, 'losses', HIGH, run)];
  });
}

function keep({ name }: Contender, part: Kept['part'], share: number, run: FloodRun): Kept {
  const { delays, histogram, ms } = run;
  const { undisturbed } = run;
  const pauses = run.pauses!;
  const [kpps, lost] = [outRate(run) / 1000, 100 * loss(run)];
  const times = PERCENTILES.map((one) => `${TITLES[one]} ${delays[one].toFixed(1)} µs`).join(', ');
  console.error(
    `${name}, ${share} %: ${kpps.toFixed(0)} kpps, lost ${lost.toFixed(4)} %, ${times}; ${machineText(pauses, undisturbed)}`,
  );
  const kept = { contender: name, part, share, kpps, lost, seconds: ms / 1000, delays, histogram, pauses };
  return undisturbed === undefined ? kept : { ...kept, undisturbed };
}

/** What the machine itself did meanwhile. */
function machineText(pauses: PauseRun, undisturbed?: Undisturbed): string {
  const own = `the machine: ${pauses.count} pauses, ${pauses.ms.toFixed(0)} ms, longest ${pauses.longest.toFixed(1)} ms, p99.9 ${pauses.p999.toFixed(0)} µs`;
  if (undisturbed === undefined) return own;
  const rest = `p99 ${undisturbed.p99.toFixed(0)} µs, p99.9 ${undisturbed.p999.toFixed(0)} µs`;
  return `${own}; ${(100 * undisturbed.part).toFixed(1)} % undisturbed: ${rest}`;
}

/** What the results have of runs that are not made now; older ones without pauses are left out. */
function former(made: readonly Kept[]): Kept[] {
  if (!options.add) return [];
  const { runs = [] } = formerResults(NAME) as { runs?: Kept[] };
  const complete = runs.filter(({ pauses }) => (pauses as PauseRun | undefined) !== undefined);
  return complete.filter(
    ({ contender, part }) => !made.some((one) => one.contender === contender && one.part === part),
  );
}

const FIGURES: readonly [string, (all: readonly number[]) => number][] = [
  ['', median],
  ['worst ', (all) => Math.max(...all)],
];

const COLUMNS: readonly (readonly [string, (run: Kept) => number | undefined])[] = [
  ...PERCENTILES.map((one) => [TITLES[one], ({ delays }: Kept) => delays[one]] as const),
  ['p99 without pauses of the machine', ({ undisturbed }) => undisturbed?.p99],
  ['p99.9 without pauses of the machine', ({ undisturbed }) => undisturbed?.p999],
  ["the machine's own p99.9", ({ pauses }) => pauses.p999],
];

function delayRows(runs: readonly Kept[]): Row[] {
  const shown = SHARES.flatMap((share) =>
    COLUMNS.flatMap(([title, of]) => FIGURES.map(([word, figure]) => ({ share, title, of, word, figure }))),
  );
  return shown.flatMap(({ share, title, of, word, figure }) => {
    const value = (name: string) => {
      const own = runs.filter((run) => run.contender === name && run.share === share && run.part === 'delays');
      const figures = own.map(of).filter((one) => one !== undefined);
      return figures.length === 0 ? undefined : figure(figures);
    };
    const rowOf = (name: string) => ({
      case: `${word}${title} at ${share} %: ${name}`,
      value: value(name)!,
      unit: 'µs',
      reference: value(reference.name),
    });
    return contenders.flatMap(({ name }) => (value(name) === undefined ? [] : [rowOf(name)]));
  });
}

function lossRows(runs: readonly Kept[]): Row[] {
  return runs
    .filter(({ part }) => part === 'losses')
    .map(({ contender, kpps, seconds, lost }) => ({
      case: `lost at ${HIGH} %: ${contender}, ${kpps.toFixed(0)} kpps for ${seconds.toFixed(0)} s`,
      value: lost,
      unit: '%',
      reference: TOLERATED,
    }));
}

async function attempt(contender: Contender, part: (contender: Contender) => Promise<Kept[]>): Promise<Kept[]> {
  try {
    return await part(contender);
  } catch (error) {
    signal.throwIfAborted();
    skips.add(contender.name, error);
    return [];
  }
}

const made: Kept[] = [];
if (options.part !== 'losses') {
  // All contenders in each round: what the machine does changes from minute to minute.
  for (let round = 0; round < Number(options.rounds); round++)
    for (const contender of contenders.filter((one) => chosen(one) && !skips.has(one.name)))
      made.push(...(await attempt(contender, delaysOf)));
}
if (options.part !== 'delays')
  for (const contender of lossy.filter(chosen)) made.push(...(await attempt(contender, lossesOf)));
const runs = [...made, ...former(made)];
report({
  name: NAME,
  title: 'Delays and losses of a flood through two wires',
  against: 'testpmd, net_af_xdp',
  rows: [...delayRows(runs), ...lossRows(runs)],
  skipped: skips.all,
  runs,
});
