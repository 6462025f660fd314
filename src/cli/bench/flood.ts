/**
 * testlvs (HOWTO 5.15): a flood through a director, in a testbed of its own or in a lab that is up.
 * Measures what the realservers receive.
 */
import { socketPath } from '../../lab/build/config.js';
import { DIRECTOR } from '../../lab/build/lab.js';
import { isTap } from '../../lab/build/network.js';
import { type Endpoints, endpointsOf } from '../../lab/flood/endpoints.js';
import { Flood, type FloodRun, inRate } from '../../lab/flood/flood.js';
import { lossesOf, readCounters } from '../../lab/flood/losses.js';
import { search } from '../../lab/flood/search.js';
import { grouped } from '../../lab/flood/table.js';
import { type MethodName, Testbed } from '../../lab/flood/testbed.js';
import type { LabDevice } from '../../lab/topology.js';
import { findLab } from '../find-lab.js';
import { UserError } from '../guard.js';
import { type FloodRequest, type FloodResult, progressText, resultJson, resultText, runsOf } from './report.js';

export interface FloodChoice extends FloodRequest {
  readonly lab?: string;
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly json?: boolean;
}

/** A director between the two ends of a flood. */
interface Subject {
  readonly endpoints: Endpoints;
  readonly socket: string;
  readonly pid: number;
  readonly heading: string;
}

/**
 * Runs the flood and prints the result. Throws a UserError or a LabError, or the reason of `signal`
 * when it aborts; the testbed is removed in any case.
 */
export async function flood(choice: FloodChoice, signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new UserError('bench flood creates namespaces and loads XDP programs: run it with sudo');
  if (choice.lab !== undefined) return measure(await inLab(choice.lab, choice), choice, signal);
  const { device, method, kind, clients, ports } = choice;
  progress(`building client, director (${method} over ${device}) and realserver`);
  const testbed = await Testbed.build({ tap: isTap(device) });
  try {
    signal.throwIfAborted();
    const { pid } = await testbed.director({ device, method, kind, flows: clients * ports });
    const { endpoints, socket } = testbed;
    await measure({ endpoints, socket, pid, heading: `${method} over ${device}` }, choice, signal);
  } finally {
    await testbed.remove();
  }
}

async function inLab(name: string, { kind }: FloodChoice): Promise<Subject> {
  const lab = findLab(name);
  const director = lab.processes.find(({ what }) => what === DIRECTOR);
  if (director === undefined) throw new UserError(`lab ${lab.id} was started without a director`);
  const heading = `lab ${lab.id} over ${lab.device}`;
  return { endpoints: await endpointsOf(lab, kind), socket: socketPath(lab.id), pid: director.pid, heading };
}

async function measure(subject: Subject, choice: FloodChoice, signal: AbortSignal): Promise<void> {
  const { kind, clients, ports, seconds, rate } = choice;
  const flood = await Flood.start(subject.endpoints, { kind, clients, ports, pid: subject.pid }, signal);
  try {
    if (kind !== 'syn') progress(`opening ${grouped(clients * ports)} flows`);
    if (kind !== 'syn') await flood.open();
    const run = async (at: number): Promise<FloodRun> => {
      signal.throwIfAborted();
      const result = await flood.run(at, seconds * 1000);
      progress(progressText(at, result));
      return result;
    };
    const before = await readCounters(subject.socket);
    const runs = rate === undefined ? await highest(run) : { lines: [{ label: 'as requested', run: await run(rate) }] };
    const losses = lossesOf(before, await readCounters(subject.socket), sum(runsOf(runs)));
    const result: FloodResult = { heading: subject.heading, ...runs };
    if (choice.json) console.log(JSON.stringify(resultJson(choice, result, losses), null, 2));
    else console.log(resultText(choice, result, losses));
  } finally {
    await flood.stop();
  }
}

/**
 * As fast as possible, the highest rate without loss, and half of that rate, which shows the delay
 * of a packet when the director is not saturated.
 */
async function highest(run: (rate: number) => Promise<FloodRun>): Promise<Omit<FloodResult, 'heading'>> {
  const { runs, best } = await search(run);
  const all = { label: 'as fast as possible', run: runs[0]! };
  if (best === undefined) return { lines: [all], tried: runs };
  const half = await run(Math.round(inRate(best) / 2));
  const lines = [all, { label: 'highest, < 0.1% lost', run: best }, { label: 'half of that', run: half }];
  return { lines, tried: [...runs, half] };
}

function sum(runs: readonly FloodRun[]): { sent: number; arrived: number } {
  const total = (column: 'sent' | 'arrived') => runs.reduce((all, run) => all + run[column], 0);
  return { sent: total('sent'), arrived: total('arrived') };
}

function progress(text: string): void {
  console.error(`bench flood: ${text}`);
}
