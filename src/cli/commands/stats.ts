import { Command } from 'commander';
import type { DirectorStatus } from '../../control/api/api.js';
import { newDeviceStats } from '../../device/device.js';
import { guarded } from '../guard.js';
import { socketOption } from '../inquiry.js';
import { readStatus } from './status.js';

interface Options {
  socket: string;
  json?: boolean;
}

/** `ulvs stats`: what became of every frame, why some were dropped, and what each device counts. */
export function statsCommand(): Command {
  return new Command('stats')
    .description('what became of the frames, why some were dropped, and what each device counts')
    .option('--json', 'as one JSON object')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => show(options)));
}

async function show({ socket, json }: Options): Promise<void> {
  const status = await readStatus(socket);
  const { fates, drops, devices, table, total } = status;
  if (json) console.log(JSON.stringify({ fates, drops, devices, table, total }, null, 2));
  else console.log(statsText(status));
}

/** In words, in the order in which they add up: in = forwarded + delivered + passed + dropped (+ waiting for a neighbour). */
const FATES = [
  ['in', 'frames in'],
  ['forwarded', '  forwarded'],
  ['delivered', '  answered, or given to the host'],
  ['passed', "  left to the host's stack"],
  ['dropped', '  dropped'],
  ['originated', 'made by the director itself'],
  ['out', 'frames out'],
  ['inBytes', 'bytes in'],
  ['outBytes', 'bytes out'],
] as const;

export function statsText({ fates, drops, devices, table }: DirectorStatus): string {
  return [
    ...FATES.map(([name, text]) => `${text.padEnd(32)}${cell(fates[name] ?? 0)}`),
    ...(fates.handed ? [`${'handed between workers'.padEnd(32)}${cell(fates.handed)}`] : []),
    `${'connection table lines'.padEnd(32)}${cell(table.used)} of ${table.max}`,
    ...dropLines(drops),
    '',
    ...deviceLines(devices),
  ].join('\n');
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
