/**
 * One packet's way through a lab: every wire is captured while the client asks once, and the packets of that connection
 * are put in order of time. Shown are the SYN there and the SYN-ACK back, a line for each time a host sent or got them.
 */

import type { Lab } from '../build/lab.js';
import type { Result } from '../load/job.js';
import { SWITCH, switchEnd } from '../names.js';
import type { Host, Port } from '../topology.js';
import { Capture } from './capture.js';
import type { Seen } from './tcpdump.js';

export interface Hop {
  readonly host: string;
  readonly dev: string;
  readonly sent: boolean;
  readonly packet: Seen;
}

interface Tap {
  host: Host;
  port: Port;
  capture: Capture;
}

/** Runs `ask` (which makes one connection) under capture. */
export async function follow(lab: Lab, ask: () => Promise<Result>): Promise<Hop[]> {
  const taps = await Promise.all(lab.spec.hosts.flatMap((host) => host.ports.map((port) => tapOn(lab, host, port))));
  const result = await ask();
  const answer = result.answers[0];
  const hops = (await Promise.all(taps.map(hopsAt))).flat();
  if (!answer) return [];
  const mine = hops.filter(({ packet }) => [packet.source, packet.destination].some((end) => end === answer.seen));
  return order(mine.filter(({ packet }) => /^S\.?$/.test(packet.flags)));
}

async function tapOn(lab: Lab, host: Host, port: Port): Promise<Tap> {
  const capture = await Capture.start(lab, SWITCH, switchEnd(host.name, port.dev), 'inout', 'tcp or proto 4');
  return { host, port, capture };
}

async function hopsAt({ host, port, capture }: Tap): Promise<Hop[]> {
  const packets = await capture.packets();
  // Switched segments flood now and then: what is neither from nor to this port was not for it.
  return packets
    .filter(({ sourceMac, destinationMac }) => sourceMac === port.mac || destinationMac === port.mac)
    .map((packet) => ({ host: host.name, dev: port.dev, sent: packet.sourceMac === port.mac, packet }));
}

function order(hops: readonly Hop[]): Hop[] {
  return [...hops].sort((a, b) => a.packet.time - b.packet.time || Number(b.sent) - Number(a.sent));
}

/** One line a hop: when, where, what it looked like, and what the host before had changed. */
export function describe(hops: readonly Hop[]): string[] {
  const start = hops[0]?.packet.time ?? 0;
  return hops.map((hop, i) => {
    const { packet } = hop;
    const ms = ((packet.time - start) * 1000).toFixed(3).padStart(7);
    const where = `${hop.host} ${hop.dev} ${hop.sent ? 'out' : 'in'}`.padEnd(17);
    const outer = packet.outer ? `IPIP ${packet.outer.source} > ${packet.outer.destination} | ` : '';
    const what = `${outer}${packet.source} > ${packet.destination} [${packet.flags}] ttl ${packet.ttl}`;
    return `${ms} ms  ${where} ${what}${remark(packet, hops[i - 1]?.packet)}`;
  });
}

function remark(now: Seen, before: Seen | undefined): string {
  if (!before || before.flags !== now.flags) return now.flags === 'S.' ? '   <- the reply' : '';
  const words = [
    now.outer && !before.outer ? 'wrapped' : '',
    now.destination === before.destination ? '' : 'destination rewritten',
    now.source === before.source ? '' : 'source rewritten',
    now.destinationMac === before.destinationMac ? '' : `to MAC ${now.destinationMac}`,
  ].filter(Boolean);
  return words.length > 0 ? `   <- ${words.join(', ')}` : '';
}
