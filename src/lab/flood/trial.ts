/**
 * One trial of `ulvs lab flood`: downloads and new clients go on while a flood comes (testbed.ts).
 *
 *     load ── calm ── flood begins ── fill ──┬── measured: new clients, a 50 MB download ──┬── end
 *               └─ a slow 50 MB download     └─ half-open connections have filled the table ┘
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOf } from '../../device/kinds.js';
import { inNamespace, ipBatch } from '../../sys/command.js';
import type { Running } from '../build/process.js';
import { program } from '../names.js';
import type { Bulk, Group, Report } from '../outage/measure.js';
import { Peer } from '../outage/peer.js';
import type { LabDevice } from '../topology.js';
import { type Attack, type Defence, MARKED, UDP_PORT, VIP6 } from './attacks.js';
import { REALSERVER_MAC, RIP, Testbed, VIP } from './testbed.js';

/** Timeout of a half-open connection, s. */
const HALF_OPEN = 60;
const TCP_PORT = 8080;
const CLIENT = '10.0.0.1';
/** The director's address in the network of the realserver that the service of VIP6 has. */
const SERVERS6 = 'fd00:1::254/64';
const PACE = 20;
const CALM = 1000;
/** The table is full for a while: a client gives up after 5 s. */
const FILL = 1.4;
const LONGEST_BULK = 120_000;

export interface TrialOptions {
  readonly device: LabDevice;
  /** Lines of the connection table: its capacity is so many half-open connections in 60 s. */
  readonly lines: number;
  /** The flood's rate, in capacities. */
  readonly times: number;
  readonly seconds: number;
  readonly downloads: number;
  readonly clients: number;
}

export interface TrialResult {
  readonly device: string;
  readonly attack: string;
  readonly defence: string;
  /** Frames a second that were asked for, and that were sent. */
  readonly rate: number;
  readonly sent: number;
  /** New clients in the measured time. */
  readonly served: number;
  readonly failed: number;
  readonly percent: number;
  /** Downloads that broke off, of all, and the longest time without a byte in any, ms. */
  readonly lost: number;
  readonly gap: number;
  /** A download of 50 MB that was open before the flood, and one that began during it. */
  readonly open: Bulk;
  readonly bulk: Bulk;
  /** Resident memory of the director before and after the flood, MB; lines of its table in use. */
  readonly memoryBefore: number;
  readonly memory: number;
  readonly used: number;
  readonly cookies: number;
}

/** Frames a second that fill the table just as fast as half-open connections end. */
export function capacityOf(lines: number): number {
  return Math.round(lines / HALF_OPEN);
}

/** Rejects with a LabError or CommandError. */
export async function tryFlood(attack: Attack, defence: Defence, options: TrialOptions): Promise<TrialResult> {
  const bed = await Testbed.build({ tap: !kindOf(options.device).shared });
  const peers: Peer[] = [];
  const start = async (what: string, host: 'client' | 'realserver', path: string, ...words: string[]) => {
    const peer = new Peer(what, bed.namespace(host), [program(path), ...words]);
    peers.push(peer);
    return peer;
  };
  try {
    await addRoutes(bed, options.device);
    const server = await start('the realserver', 'realserver', SERVER, `${TCP_PORT}`, `${UDP_PORT}`, `${PACE}`, RIP);
    await server.line();
    const director = await bed.directorOf(configOf(bed, defence, options));
    const memoryBefore = memoryOf(director);
    const client = await start('the client', 'client', 'lab/programs/outage-client.js', groupOf(options));
    await client.line();
    const fill = (HALF_OPEN * 1000 * FILL) / options.times;
    const download = async (seconds: number): Promise<Bulk> => {
      const it = await start('a download', 'client', BULK_CLIENT, CLIENT, VIP, '80', `${seconds}`);
      // A trial that fails meanwhile ends the program: that is no second failure.
      const line = it.line().catch(() => NOTHING);
      return JSON.parse(await Promise.race([line, sleep(seconds * 1000 + LONGEST_BULK, NOTHING, { ref: false })]));
    };
    const open = download((CALM + fill) / 1000 + options.seconds);
    await sleep(CALM);
    const rate = capacityOf(options.lines) * options.times;
    const target = JSON.stringify(bed.endpoints.target);
    const flooder = await start('the flooder', 'client', FLOODER, 'eth0', attack.name, `${rate}`, target);
    await flooder.line();
    await flooder.ask('begin');
    await sleep(fill);
    await reportOf(client);
    const sentBefore = Number(await flooder.ask('sent'));
    const bulk = download(0);
    await sleep(options.seconds * 1000);
    const report = await reportOf(client);
    const sent = Math.round((Number(await flooder.ask('sent')) - sentBefore) / options.seconds);
    const bulks = { open: await open, bulk: await bulk };
    const after = { memoryBefore, memory: memoryOf(director), ...(await statusOf(bed)) };
    return {
      ...resultOf(report),
      ...bulks,
      ...namesOf(attack, defence, options),
      rate,
      sent,
      ...after,
    };
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    await bed.remove();
  }
}

const SERVER = 'lab/programs/outage-server.js';
const BULK_CLIENT = 'lab/programs/bulk-client.js';
const FLOODER = 'lab/programs/flooder.js';
const NOTHING = JSON.stringify({ isWhole: false, bytes: 0, ms: LONGEST_BULK } satisfies Bulk);

function namesOf(attack: Attack, defence: Defence, { device }: TrialOptions) {
  return { device, attack: attack.name, defence: defence.name };
}

/** Answers to forged clients go to the client's machine, which drops them. */
async function addRoutes(bed: Testbed, device: LabDevice): Promise<void> {
  await ipBatch(bed.namespace('realserver'), ['link set lo up', 'route add default via 192.168.1.254']);
  await ipBatch(bed.namespace('client'), ['link set lo up']);
  if (kindOf(device).shared) await ipBatch(bed.namespace('director'), [`route add default via ${CLIENT}`]);
}

function configOf(bed: Testbed, defence: Defence, { device, lines }: TrialOptions): string {
  const { dstMac } = bed.endpoints.target;
  const { shared } = kindOf(device);
  // A device that the host does not share finds all realservers by its own addresses.
  const far = ['10.0.0.254/24', `192.168.1.254/24${shared ? '' : `, ${SERVERS6}`}`];
  const devices = far.map(
    (addresses, i) =>
      `  - { name: eth${i}, kind: ${device}, mac: "${i === 0 ? dstMac : '02:00:00:00:0d:01'}", addresses: [${addresses}] }`,
  );
  const own = [
    `neighbours: [{ ip: ${RIP}, dev: eth1, mac: "${REALSERVER_MAC}" }]`,
    `routes: [{ to: default, via: ${CLIENT}, dev: eth0 }]`,
  ];
  const proxy = `serviceOptions: [{ service: "-t ${VIP}:80", synproxy: ${defence.synproxy} }]`;
  return [
    `socket: ${bed.socket}`,
    'devices:',
    ...devices,
    ...(shared ? [] : own),
    `connections: { max: ${lines} }`,
    `accept: { arp: true, ranges: [${MARKED}] }`,
    `sysctl: ${defence.sysctl}`,
    `marks: ["-d ${MARKED} -j MARK --set-mark 1"]`,
    ...(defence.synproxy === undefined ? [] : [proxy]),
    'rules: |',
    ...rulesOf().map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function rulesOf(): string[] {
  const services = [`-t ${VIP}:80`, `-u ${VIP}:${UDP_PORT}`, '-f 1'];
  const servers = [`${RIP}:${TCP_PORT}`, `${RIP}:${UDP_PORT}`, `${RIP}:${TCP_PORT}`];
  const six = [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [fd00:1::11]:80 -m`];
  const four = services.flatMap((service, i) => [`-A ${service} -s rr`, `-a ${service} -r ${servers[i]} -m`]);
  return [...four, ...six];
}

function groupOf({ downloads, clients }: TrialOptions): string {
  const group: Group = {
    name: 'all',
    from: CLIENT,
    vip: VIP,
    tcp: 80,
    udp: UDP_PORT,
    flows: 0,
    downloads,
    rate: clients,
  };
  return JSON.stringify([group]);
}

async function reportOf(client: Peer): Promise<Report> {
  return (JSON.parse(await client.ask('report')) as Report[])[0]!;
}

function resultOf({ opened, refused, lost, downloadGap }: Report) {
  const percent = opened + refused === 0 ? 0 : (100 * opened) / (opened + refused);
  return { served: opened, failed: refused, percent, lost, gap: Math.round(downloadGap) };
}

/** MB. */
function memoryOf({ pid }: Running): number {
  const kb = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kb) / 1024);
}

async function statusOf(bed: Testbed): Promise<{ used: number; cookies: number }> {
  const words = [process.execPath, program('cli/main.js'), 'status', '--json', '--socket', bed.socket];
  const { stdout } = await inNamespace(bed.namespace('director'), ...(words as [string, ...string[]]));
  const { table, frames } = JSON.parse(stdout) as { table: { used: number }; frames: Record<string, number> };
  return { used: table.used, cookies: frames.cookiesSent ?? 0 };
}
