/**
 * The path of a packet through a lab. All wires are captured while the client makes one request;
 * the packets of that connection are sorted by time. Shown are the SYN and the SYN-ACK: one line
 * for each time that a host sent or received one.
 */

import type { Lab } from '../build/lab.js';
import type { Result } from '../load/job.js';
import { SWITCH, switchEnd } from '../names.js';
import type { Host, Port } from '../topology.js';
import { Capture } from './capture.js';
import type { CapturedPacket } from './tcpdump.js';

export interface Hop {
  readonly host: string;
  readonly dev: string;
  readonly sent: boolean;
  readonly packet: CapturedPacket;
}

interface PortCapture {
  host: Host;
  port: Port;
  capture: Capture;
}

/** Captures all wires while `ask` makes one connection. Empty if the request got no answer. */
export async function followPacket(lab: Lab, ask: () => Promise<Result>): Promise<Hop[]> {
  const captures = await Promise.all(
    lab.spec.hosts.flatMap((host) => host.ports.map((port) => startCapture(lab, host, port))),
  );
  const result = await ask();
  const answer = result.answers[0];
  const hops = (await Promise.all(captures.map(hopsAt))).flat();
  if (!answer) return [];
  const mine = hops.filter(({ packet }) => [packet.source, packet.destination].some((end) => end === answer.seen));
  return order(mine.filter(({ packet }) => /^S\.?$/.test(packet.flags)));
}

async function startCapture(lab: Lab, host: Host, port: Port): Promise<PortCapture> {
  const capture = await Capture.start(lab, SWITCH, switchEnd(host.name, port.dev), 'inout', 'tcp or proto 4');
  return { host, port, capture };
}

async function hopsAt({ host, port, capture }: PortCapture): Promise<Hop[]> {
  const packets = await capture.packets();
  // A bridge floods now and then: packets that are neither from nor to this port are not its own.
  return packets
    .filter(({ sourceMac, destinationMac }) => sourceMac === port.mac || destinationMac === port.mac)
    .map((packet) => ({ host: host.name, dev: port.dev, sent: packet.sourceMac === port.mac, packet }));
}

function order(hops: readonly Hop[]): Hop[] {
  return [...hops].sort((a, b) => a.packet.time - b.packet.time || Number(b.sent) - Number(a.sent));
}

/** One line for each hop: time, host, packet, and what the previous host changed. */
export function describeHops(hops: readonly Hop[]): string[] {
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

function remark(now: CapturedPacket, before: CapturedPacket | undefined): string {
  if (!before || before.flags !== now.flags) return now.flags === 'S.' ? '   <- the reply' : '';
  const words = [
    now.outer && !before.outer ? 'encapsulated' : '',
    now.destination === before.destination ? '' : 'destination rewritten',
    now.source === before.source ? '' : 'source rewritten',
    now.destinationMac === before.destinationMac ? '' : `to MAC ${now.destinationMac}`,
  ].filter(Boolean);
  return words.length > 0 ? `   <- ${words.join(', ')}` : '';
}
