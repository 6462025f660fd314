/** testlvs (HOWTO 5.15): a flood through a director in a lab of its own or one that is up, and what the realservers got. */
import { cpus } from 'node:os';
import { socketPath } from '../../lab/build/config.js';
import { DIRECTOR } from '../../lab/build/lab.js';
import { isTap } from '../../lab/build/network.js';
import { type Site, siteOf } from '../../lab/flood/endpoints.js';
import { Flood, type FloodOptions, inRate, loss, outRate, type Passage } from '../../lab/flood/flood.js';
import { accountOf, type Loss, lossesOf } from '../../lab/flood/losses.js';
import { search } from '../../lab/flood/search.js';
import { grouped, type Line, lossText, tableText } from '../../lab/flood/table.js';
import { Bed, type MethodName } from '../../lab/flood/testbed.js';
import type { LabDevice } from '../../lab/topology.js';
import { findLab } from '../find-lab.js';
import { UserError } from '../guard.js';

export interface FloodChoice extends Omit<FloodOptions, 'pid'> {
  readonly lab?: string;
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly rate?: number;
  readonly seconds: number;
  readonly json?: boolean;
}

/** A director in the middle of a flood. */
interface Subject {
  readonly site: Site;
  readonly socket: string;
  readonly pid: number;
  readonly heading: string;
}

/** Throws the reason of `signal` when it aborts, and takes down what it built. */
export async function flood(choice: FloodChoice, signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0)
    throw new UserError('bench flood makes namespaces and loads XDP programs: run it with sudo');
  if (choice.lab !== undefined) return measure(await inLab(choice.lab, choice), choice, signal);
  const { device, method, kind, clients, ports } = choice;
  progress(`building client, director (${method} over ${device}) and realserver`);
  const bed = await Bed.build({ tap: isTap(device) });
  try {
    signal.throwIfAborted();
    const { pid } = await bed.director({ device, method, kind, flows: clients * ports });
    await measure({ site: bed.site, socket: bed.socket, pid, heading: `${method} over ${device}` }, choice, signal);
  } finally {
    await bed.remove();
  }
}

async function inLab(name: string, { kind }: FloodChoice): Promise<Subject> {
  const lab = findLab(name);
  const director = lab.processes.find(({ what }) => what === DIRECTOR);
  if (director === undefined) throw new UserError(`lab ${lab.id} was started without a director`);
  const heading = `lab ${lab.id} over ${lab.device}`;
  return { site: await siteOf(lab, kind), socket: socketPath(lab.id), pid: director.pid, heading };
}

async function measure(subject: Subject, choice: FloodChoice, signal: AbortSignal): Promise<void> {
  const { kind, clients, ports, seconds, rate } = choice;
  const flood = await Flood.start(subject.site, { kind, clients, ports, pid: subject.pid }, signal);
  try {
    if (kind !== 'syn') progress(`opening ${grouped(clients * ports)} flows`);
    if (kind !== 'syn') await flood.open();
    const run = async (at: number): Promise<Passage> => {
      signal.throwIfAborted();
      const passage = await flood.run(at, seconds * 1000);
      progress(`${at === 0 ? 'all that can be made' : `asked for ${grouped(at)}/s`}: ${inAndOut(passage)}`);
      return passage;
    };
    const before = await accountOf(subject.socket);
    const passages =
      rate === undefined ? await highest(run) : { lines: [{ label: 'as asked', passage: await run(rate) }] };
    const losses = lossesOf(before, await accountOf(subject.socket), sum(allOf(passages)));
    if (choice.json) console.log(JSON.stringify(plain(subject, choice, passages, losses), null, 2));
    else console.log(inWords(subject, choice, passages, losses));
  } finally {
    await flood.stop();
  }
}

/** `lines` are shown; `tried`: all that was found out on the way to them. */
interface Findings {
  readonly lines: readonly Line[];
  readonly tried?: readonly Passage[];
}

const allOf = ({ lines, tried }: Findings) => tried ?? lines.map(({ passage }) => passage);

/** The most that goes through, the highest rate without loss, and half of that: what a packet waits when there is room. */
async function highest(run: (rate: number) => Promise<Passage>): Promise<Findings> {
  const { passages, best } = await search(run);
  const all = { label: 'all that can be made', passage: passages[0]! };
  if (best === undefined) return { lines: [all], tried: passages };
  const half = await run(Math.round(inRate(best) / 2));
  const lines = [all, { label: 'highest, < 0.1% lost', passage: best }, { label: 'half of that', passage: half }];
  return { lines, tried: [...passages, half] };
}

function sum(passages: readonly Passage[]): { sent: number; arrived: number } {
  const total = (column: 'sent' | 'arrived') => passages.reduce((all, passage) => all + passage[column], 0);
  return { sent: total('sent'), arrived: total('arrived') };
}

function plain({ heading }: Subject, choice: FloodChoice, findings: Findings, losses: readonly Loss[]) {
  const flat = (passage: Passage) => {
    return { ...passage, inRate: inRate(passage), outRate: outRate(passage), loss: loss(passage) };
  };
  const { kind, clients, ports, seconds } = choice;
  const rows = findings.lines.map(({ label, passage }) => ({ label, ...flat(passage) }));
  return { machine: machine(), heading, kind, clients, ports, seconds, rows, tried: allOf(findings).map(flat), losses };
}

function inWords({ heading }: Subject, choice: FloodChoice, findings: Findings, losses: readonly Loss[]): string {
  const { kind, clients, ports, seconds } = choice;
  const flows = `${grouped(clients)} clients with ${grouped(ports)} ports each`;
  return [
    `${kind} flood, ${flows}, ${heading}, ${seconds} s each; ${machine()}`,
    '',
    tableText(findings.lines),
    ...(findings.lines.length === 1 && choice.rate === undefined ? ['', 'more than 0.1% was lost at every rate'] : []),
    ...(losses.length > 0 ? ['', `lost in all ${allOf(findings).length} runs, and where`, lossText(losses)] : []),
    '',
    'CPU idle: of the CPUs that do not make the flood. director: CPU seconds a second. p50 …: from the clock read when',
    'one in 64 packets is made, in the kernel, to its arrival at the realserver, in the kernel; without the director 5 µs.',
  ].join('\n');
}

function machine(): string {
  const all = cpus();
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown processor'}`;
}

function inAndOut(passage: Passage): string {
  return `${grouped(inRate(passage))}/s in, ${grouped(outRate(passage))}/s out, ${(100 * loss(passage)).toFixed(3)}% lost`;
}

function progress(text: string): void {
  console.error(`bench flood: ${text}`);
}
