/**
 * `ulvs stats`: what became of every frame, why some were dropped, and the counters of each device.
 */
import { Command } from 'commander';
import type { DirectorStatus } from '../../control/api/api.js';
import { SYNC_COUNTERS } from '../../control/sync/stats.js';
import { newDeviceStats } from '../../device/device.js';
import { guarded } from '../guard.js';
import { socketOption } from '../inquiry.js';
import { readStatus } from './status.js';

interface Options {
  socket: string;
  json?: boolean;
}

export function statsCommand(): Command {
  return new Command('stats')
    .description('show what became of all frames, why some were dropped, and the counters of each device')
    .option('--json', 'print one JSON object')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => show(options)));
}

async function show({ socket, json }: Options): Promise<void> {
  const status = await readStatus(socket);
  const { frames, drops, devices, table, total, sync } = status;
  if (json) console.log(JSON.stringify({ frames, drops, devices, table, total, sync: sync.counters }, null, 2));
  else console.log(statsText(status));
}

/** The text of each counter, in the order of the sum: in = forwarded + … + dropped + waiting. */
const FRAMES = [
  ['in', 'frames in'],
  ['forwarded', '  forwarded'],
  ['delivered', '  delivered to director or host'],
  ['passed', "  passed to the host's stack"],
  ['dropped', '  dropped'],
  ['waiting', '  waiting for a neighbour or for fragments'],
  ['originated', 'originated by the director'],
  ['out', 'frames out'],
  ['inBytes', 'bytes in'],
  ['outBytes', 'bytes out'],
] as const;

/** What is no frame, shown where it is not 0. */
const NO_FRAMES = [
  ['earlyDropped', 'unconfirmed connections, dropped early'],
  ['cookiesSent', 'SYN proxy: SYNs answered by a cookie'],
  ['cookiesAccepted', 'SYN proxy: clients with a valid cookie'],
  ['cookiesRefused', 'SYN proxy: acknowledgements without one'],
] as const;

/** Width of the texts. */
const WIDTH = 42;

export function statsText({ frames, drops, devices, table, sync }: DirectorStatus): string {
  const all: Readonly<Record<string, number>> = { ...frames, waiting: waitingOf(frames) };
  const lost = devices.reduce((sum, { stats }) => sum + stats.rxDropped, 0);
  return [
    `${'lost before the director'.padEnd(WIDTH)}${cell(lost)}  rxDropped of all devices`,
    ...FRAMES.map(([name, text]) => `${text.padEnd(WIDTH)}${cell(all[name] ?? 0)}`),
    ...(frames.handedOff ? [`${'handed off between workers'.padEnd(WIDTH)}${cell(frames.handedOff)}`] : []),
    ...NO_FRAMES.filter(([name]) => frames[name]).map(([name, text]) => `${text.padEnd(WIDTH)}${cell(frames[name]!)}`),
    `${'connection table entries'.padEnd(WIDTH)}${cell(table.used)} of ${table.max}`,
    ...syncLines(sync),
    ...dropLines(drops),
    '',
    ...deviceLines(devices),
  ].join('\n');
}

/** The counters of synchronisation that are not 0, once a daemon has run. */
function syncLines({ counters }: DirectorStatus['sync']): string[] {
  const lines = Object.entries(SYNC_COUNTERS)
    .filter(([name]) => counters[name as keyof typeof counters] > 0)
    .map(([name, text]) => `${cell(counters[name as keyof typeof counters])}  ${text}`);
  return lines.length === 0 ? [] : ['', 'synchronisation', ...lines];
}

/**
 * Frames that wait for a neighbour, or for other fragments of their datagram: what is missing in
 * the sum. The counters are read one after the other while packets flow, so that it is never
 * below 0.
 */
function waitingOf(frames: Readonly<Record<string, number>>): number {
  const of = (name: string) => frames[name] ?? 0;
  return Math.max(0, of('in') - of('forwarded') - of('delivered') - of('passed') - of('dropped'));
}

function dropLines(drops: DirectorStatus['drops']): string[] {
  if (drops.length === 0) return [];
  const lines = [...drops]
    .sort((a, b) => b.packets - a.packets)
    .map(({ name, text, packets, bytes }) => `${name.padEnd(20)}${cell(packets)}${cell(bytes)}  ${text}`);
  return ['', `${'dropped because'.padEnd(20)}${'frames'.padStart(14)}${'bytes'.padStart(14)}`, ...lines];
}

const COLUMNS = Object.keys(newDeviceStats()) as (keyof ReturnType<typeof newDeviceStats>)[];

function deviceLines(devices: DirectorStatus['devices']): string[] {
  const heading = `${'device'.padEnd(16)}${COLUMNS.map((column) => column.padStart(14)).join('')}`;
  const rows = devices.map(
    ({ name, stats }) => `${name.padEnd(16)}${COLUMNS.map((column) => cell(stats[column])).join('')}`,
  );
  return [heading, ...rows];
}

function cell(value: number): string {
  return String(value).padStart(14);
}
