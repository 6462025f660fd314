/** `ulvs status`: an overview of a running director. */
import { Command } from 'commander';
import type { AnnounceStatus, DeviceStatus, DirectorStatus, OffloadStatus } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { coloured, type Output } from '../../control/text/colour.js';
import { counted } from '../../control/text/counted.js';
import { guarded } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  json?: boolean;
}

/** The share of the table from which on its line is a warning. */
const FULL = 0.9;

export function statusCommand(): Command {
  return new Command('status')
    .description('show an overview of a running director: process, configuration, devices, services, connections')
    .option('--json', 'print one JSON object')
    .addOption(socketOption())
    .action((options: Options) => guarded(() => show(options)));
}

export async function readStatus(socket: string): Promise<DirectorStatus> {
  const { status } = await withDirector(socket, (client) => ask(client, { op: 'status' }));
  if (status === undefined) throw new Error(`the director on ${socket} sent no status`);
  return status;
}

async function show({ socket, json }: Options): Promise<void> {
  const status = await readStatus(socket);
  if (json) console.log(JSON.stringify(status, null, 2));
  else console.log(statusText(status));
}

/** `out`: the stream that it is written to; undefined: stdout. */
export function statusText(status: DirectorStatus, out?: Output): string {
  const { version, socket, memory, pid, uptime, config, devices, services, destinations } = status;
  const { table, workers, total, health, announce, offload } = status;
  return [
    `director    ulvs ${version}, pid ${pid}, up ${duration(uptime)}, ${Math.round(memory / 1e6)} MB`,
    `socket      ${socket}`,
    `config      ${config || 'none'}`,
    ...devices.map((device, i) => `${i === 0 ? 'devices' : ''}`.padEnd(12) + deviceText(device)),
    `services    ${services}, with ${counted(destinations, 'destination')}`,
    ...(health.checked > 0 ? [`health      ${healthText(health, out)}`] : []),
    `table       ${tableText(table, out)}`,
    `workers     ${workers.length > 1 ? workers.map(workerText).join(', ') : '1'}`,
    ...(offload === undefined ? [] : [`offload     ${offloadText(offload)}`]),
    ...(announce === undefined ? [] : [`announced   ${announcedText(announce)}`]),
    `total       ${counted(total.conns, 'connection')} since the counters were at 0`,
    `now         ${total.cps} connections/s, ${total.inpps} packets/s in, ${total.outpps} packets/s out`,
  ].join('\n');
}

function healthText({ up, checked }: DirectorStatus['health'], out?: Output): string {
  return coloured(up < checked ? 'red' : 'green', `${up} of ${checked} destinations with checks are up`, out);
}

function tableText({ used, max }: DirectorStatus['table'], out?: Output): string {
  const text = `${used} of ${max} entries in use`;
  return used > FULL * max ? coloured('yellow', text, out) : text;
}

function offloadText({ used, lines, packets, noRoom, devices }: OffloadStatus): string {
  if (devices.length === 0) return 'no device takes frames that XDP redirects';
  const full = noRoom > 0 ? `, ${noRoom} times without room` : '';
  return `${used} of ${lines} lines used${full}, ${counted(packets, 'packet')} forwarded, by ${devices.join(' ')}`;
}

/** What a director announces: its prefixes, or why there are none. */
export function announcedText({ withdrawn, prefixes }: Pick<AnnounceStatus, 'withdrawn' | 'prefixes'>): string {
  return withdrawn ? 'nothing, drained' : prefixes.join(' ') || 'nothing';
}

function workerText({ used, frames }: DirectorStatus['workers'][number], i: number): string {
  return `${i}: ${frames} frames, ${used} entries`;
}

function deviceText({ name, kind, mac, mtu, addresses }: DeviceStatus): string {
  return `${name} (${kind}) ${mac}, MTU ${mtu}, ${addresses.join(' ') || 'no addresses'}`;
}

/** A duration in seconds in its two largest units: `3 d 4 h`, `12 s`. */
export function duration(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .map(([unit, size], i) => `${Math.floor((i === 0 ? seconds : seconds % units[first]![1]) / size)} ${unit}`)
    .join(' ');
}
