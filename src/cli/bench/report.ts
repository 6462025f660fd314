/** The result of `ulvs bench flood`, as text and as JSON. */
import { cpus } from 'node:os';
import { type FloodOptions, type FloodRun, inRate, loss, outRate } from '../../lab/flood/flood.js';
import type { Loss } from '../../lab/flood/losses.js';
import { grouped, type Line, lossText, tableText } from '../../lab/flood/table.js';

/** What is to be measured. Without `rate` the highest rate without loss is searched. */
export interface FloodRequest extends Omit<FloodOptions, 'pid'> {
  readonly rate?: number;
  /** The length of a run. */
  readonly seconds: number;
}

/** `lines` are shown. `tried` are all runs, if there were more. */
export interface FloodResult {
  readonly heading: string;
  readonly lines: readonly Line[];
  readonly tried?: readonly FloodRun[];
}

export function runsOf({ lines, tried }: Pick<FloodResult, 'lines' | 'tried'>): readonly FloodRun[] {
  return tried ?? lines.map(({ run }) => run);
}

export function resultJson(request: FloodRequest, result: FloodResult, losses: readonly Loss[]): object {
  const flat = (run: FloodRun) => ({ ...run, inRate: inRate(run), outRate: outRate(run), loss: loss(run) });
  const { kind, clients, ports, seconds } = request;
  const rows = result.lines.map(({ label, run }) => ({ label, ...flat(run) }));
  const tried = runsOf(result).map(flat);
  return { machine: machine(), heading: result.heading, kind, clients, ports, seconds, rows, tried, losses };
}

export function resultText(request: FloodRequest, result: FloodResult, losses: readonly Loss[]): string {
  const { kind, clients, ports, seconds } = request;
  const flows = `${grouped(clients)} clients with ${grouped(ports)} ports each`;
  return [
    `${kind} flood, ${flows}, ${result.heading}, ${seconds} s a run; ${machine()}`,
    '',
    tableText(result.lines),
    ...(result.lines.length === 1 && request.rate === undefined ? ['', 'more than 0.1% was lost at every rate'] : []),
    ...(losses.length > 0 ? ['', `frames lost in all ${runsOf(result).length} runs, and where`, lossText(losses)] : []),
    '',
    "CPU idle: of the CPUs other than the generator's. director: CPU seconds per second. p50 …: the delay of one packet",
    'in 64, from its creation in the kernel to its arrival at the realserver, in the kernel. Without the director: 5 µs.',
  ].join('\n');
}

/** One line for the progress of a search. */
export function progressText(rate: number, run: FloodRun): string {
  const requested = rate === 0 ? 'as fast as possible' : `${grouped(rate)}/s requested`;
  const lost = `${(100 * loss(run)).toFixed(3)}% lost`;
  return `${requested}: ${grouped(inRate(run))}/s in, ${grouped(outRate(run))}/s out, ${lost}`;
}

function machine(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown processor'}`;
}
