/**
 * The process that allocation.test.ts runs with --expose-gc --trace-gc --trace-deopt. After a
 * warm-up it processes packets of all paths, or with the second argument `sip` dialogues of SIP.
 * With `sync` a master of synchronisation writes the connections, and they are read from its ring.
 * Between the marks on stdout it does nothing else. It prints by how many bytes the heap grew.
 */
import { writeSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { DialogueTemplate } from '../../bench/support/dialogue.js';
import { configFor, FRAMES, type Path, Subject, VIPS } from '../../bench/support/subject.js';
import { type Family, Order, Template } from '../../bench/support/traffic.js';
import { SyncState } from '../../src/conntrack/sync-state.js';
import { RingMaster } from '../../src/dataplane/sync/master.js';
import { SyncRing } from '../../src/dataplane/sync/ring.js';

const FLOWS = 2000;
/**
 * Number of packets. Their time by the clock is more than the 15 minutes after which the timers of
 * established connections are checked.
 */
const WARM_UP = 4_000_000;
const WARM_UP_STEP = 16;
/** Pauses in which V8 compiles in its other threads. On a busy machine it needs them. */
const PAUSES = 8;
const PAUSE_MS = 100;
const SYN = 0x02;
const ACK = 0x10;
const PATHS: readonly Path[] = ['natin', 'natout', 'dr', 'tun'];
/** Clock step of a turn in ms. About 100,000 connections are alive, and as many end as begin. */
const STEP = 8;
const SIP_VIP = '10.0.0.103';
/** A template lives as long as about 60,000 new dialogues take. */
const SIP_RULES = [
  `-A -u ${SIP_VIP}:5060 -s rr -p 5 --pe sip -o`,
  ...[12, 11].map((n) => `-a -u ${SIP_VIP}:5060 -r 192.168.1.${n}:5060 -m`),
];

interface Lane {
  readonly device: 0 | 1;
  readonly template: Pick<Template, 'length' | 'put'>;
  readonly flow: () => number;
}

function laneOf(path: Path, family: Family): Lane {
  const order = new Order();
  const flow = () => order.next(FLOWS);
  const [vip, rip] = family === 4 ? [VIPS[path][0], '192.168.1.11'] : [VIPS[path][1], '2001:db8:1::11'];
  if (path !== 'natout')
    return {
      device: 0,
      template: new Template(family, false, { address: vip, port: 80 }, ACK, '02:00:00:00:0d:00'),
      flow,
    };
  return {
    device: 1,
    template: new Template(family, true, { address: rip, port: 8080 }, ACK, '02:00:00:00:0d:01'),
    flow,
  };
}

/** New connections: the table keeps as many alive as this rate allows. */
function openings(family: Family): Lane {
  let sequence = FLOWS;
  const template = new Template(
    family,
    false,
    { address: VIPS.dr[family === 4 ? 0 : 1], port: 80 },
    SYN,
    '02:00:00:00:0d:00',
  );
  return { device: 0, template, flow: () => sequence++ & 0xffffff };
}

/**
 * New dialogues for the persistence engine sip, one packet each, or the replies of the servers in
 * them.
 */
function dialogues(device: 0 | 1): Lane {
  let sequence = 0;
  const [address, mac] = device === 0 ? [SIP_VIP, '02:00:00:00:0d:00'] : ['192.168.1.11', '02:00:00:00:0d:01'];
  const template = new DialogueTemplate(device === 1, { address, port: 5060 }, mac);
  return { device, template, flow: () => sequence++ & 0xffffff };
}

function establish(subject: Subject, path: Path, family: Family): void {
  const end = { address: VIPS[path][family === 4 ? 0 : 1], port: 80 };
  const syn = new Template(family, false, end, SYN, '02:00:00:00:0d:00');
  let sequence = 0;
  while (sequence < FLOWS) {
    subject.sources[0].fill(syn, () => sequence++);
    subject.run();
  }
}

function drive(subject: Subject, lanes: readonly Lane[], packets: number, step: number): void {
  for (let done = 0; done < packets; )
    for (const { device, template, flow } of lanes) {
      subject.sources[device].fill(template, flow);
      subject.turn(step);
      while (ring?.read()) ring.done();
      done += FRAMES;
    }
}

function connections(subject: Subject): Lane[] {
  const lanes: Lane[] = [];
  for (const family of [4, 6] as const) {
    for (const path of PATHS) {
      if (path !== 'natout') establish(subject, path, family);
      lanes.push(laneOf(path, family));
    }
    lanes.push(openings(family));
  }
  return lanes;
}

let ring: SyncRing | undefined;

function synchronise({ director }: Subject): void {
  ring = new SyncRing(SyncRing.memory());
  director.connections.sync = new SyncState(director.connections.table.maxEntries);
  // Every second packet of a connection is worth a message, so that the warm-up has messages too.
  director.sysctl = { ...director.sysctl, sync_threshold: 0, sync_period: 2 };
  director.sync = new RingMaster(director, ring, () => '', { ports: 1, sequences: false });
}

async function main(): Promise<void> {
  const packets = Number(process.argv[2] ?? 2_000_000);
  const subject = await Subject.create(1 << 20, configFor(1 << 20, SIP_RULES));
  const sip = process.argv[3] === 'sip';
  if (process.argv[3] === 'sync') synchronise(subject);
  const lanes = sip ? [dialogues(0), dialogues(1)] : connections(subject);
  for (let i = 0; i < PAUSES; i++) {
    drive(subject, lanes, WARM_UP / PAUSES, WARM_UP_STEP);
    await setTimeout(PAUSE_MS);
  }
  drive(subject, lanes, WARM_UP / PAUSES, WARM_UP_STEP);
  global.gc!();
  const before = process.memoryUsage().heapUsed;
  writeSync(1, '--- begin\n');
  drive(subject, lanes, packets, STEP);
  writeSync(1, '--- end\n');
  const grown = process.memoryUsage().heapUsed - before;
  subject.check();
  writeSync(1, `${packets} packets, heap grew by ${grown}\n`);
}

await main();
