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
import { type Attack, type Defence, UDP_PORT } from './attacks.js';
import { RIP, Testbed, VIP } from './testbed.js';
import { CLIENT, TCP_PORT, trialConfig } from './trial-config.js';

/** Timeout of a half-open connection, s. */
const HALF_OPEN = 60;
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
  const trial = new Trial(bed, attack, defence, options);
  try {
    return await trial.run();
  } finally {
    await trial.end();
  }
}

class Trial {
  private readonly peers: Peer[] = [];

  constructor(
    private readonly bed: Testbed,
    private readonly attack: Attack,
    private readonly defence: Defence,
    private readonly options: TrialOptions,
  ) {}

  async run(): Promise<TrialResult> {
    const director = await this.startDirector();
    const memoryBefore = memoryOf(director);
    const client = await this.start('the client', 'client', CLIENT_PROGRAM, groupOf(this.options));
    await client.line();
    const { seconds, device } = this.options;
    const open = this.download((CALM + this.fill) / 1000 + seconds);
    await sleep(CALM);
    const flooder = await this.startFlood();
    await sleep(this.fill);
    const measured = await this.measure(client, flooder);
    const bulks = { open: await open, bulk: await measured.bulk };
    const names = { device, attack: this.attack.name, defence: this.defence.name };
    const after = { memoryBefore, memory: memoryOf(director), ...(await statusOf(this.bed)) };
    return { ...names, rate: this.rate, sent: measured.sent, ...resultOf(measured.report), ...bulks, ...after };
  }

  async end(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.stop()));
    await this.bed.remove();
  }

  /** Time until half-open connections have filled the table, ms. */
  private get fill(): number {
    return (HALF_OPEN * 1000 * FILL) / this.options.times;
  }

  /** Of the flood, frames a second. */
  private get rate(): number {
    return capacityOf(this.options.lines) * this.options.times;
  }

  private start(what: string, host: 'client' | 'realserver', path: string, ...words: string[]): Peer {
    const peer = new Peer(what, this.bed.namespace(host), [program(path), ...words]);
    this.peers.push(peer);
    return peer;
  }

  private async startDirector(): Promise<Running> {
    const { bed, defence, options } = this;
    await addRoutes(bed, options.device);
    const words = [`${TCP_PORT}`, `${UDP_PORT}`, `${PACE}`, RIP];
    await this.start('the realserver', 'realserver', SERVER_PROGRAM, ...words).line();
    return bed.directorOf(trialConfig(bed, defence, options));
  }

  private async startFlood(): Promise<Peer> {
    const target = JSON.stringify(this.bed.endpoints.target);
    const words = ['eth0', this.attack.name, `${this.rate}`, target];
    const flooder = this.start('the flooder', 'client', FLOOD_PROGRAM, ...words);
    await flooder.line();
    await flooder.ask('begin');
    return flooder;
  }

  /** What the client gets while the flood goes on; the download may take longer. */
  private async measure(client: Peer, flooder: Peer): Promise<{ report: Report; sent: number; bulk: Promise<Bulk> }> {
    const { seconds } = this.options;
    await reportOf(client);
    const before = Number(await flooder.ask('sent'));
    const bulk = this.download(0);
    await sleep(seconds * 1000);
    const report = await reportOf(client);
    return { report, sent: Math.round((Number(await flooder.ask('sent')) - before) / seconds), bulk };
  }

  /** Of 50 MB, in so many seconds at least. */
  private async download(seconds: number): Promise<Bulk> {
    const client = this.start('a download', 'client', BULK_PROGRAM, CLIENT, VIP, '80', `${seconds}`);
    // A trial that fails meanwhile ends the program: that is no second failure.
    const line = client.line().catch(() => NOTHING);
    return JSON.parse(await Promise.race([line, sleep(seconds * 1000 + LONGEST_BULK, NOTHING, { ref: false })]));
  }
}

const SERVER_PROGRAM = 'lab/programs/outage-server.js';
const CLIENT_PROGRAM = 'lab/programs/outage-client.js';
const BULK_PROGRAM = 'lab/programs/bulk-client.js';
const FLOOD_PROGRAM = 'lab/programs/flooder.js';
const NOTHING = JSON.stringify({ isWhole: false, bytes: 0, ms: LONGEST_BULK } satisfies Bulk);

/** Answers to forged clients go to the client's machine, which drops them. */
async function addRoutes(bed: Testbed, device: LabDevice): Promise<void> {
  await ipBatch(bed.namespace('realserver'), ['link set lo up', 'route add default via 192.168.1.254']);
  await ipBatch(bed.namespace('client'), ['link set lo up']);
  if (kindOf(device).shared) await ipBatch(bed.namespace('director'), [`route add default via ${CLIENT}`]);
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
