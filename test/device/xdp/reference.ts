/**
 * The result that the XDP program must give for a frame: reads the intercept rules one after the
 * other. It has no maps and no bits, and shares no code with src/device/xdp.
 */
import type { InterceptRule, PacketMatch, PortRange } from '../../../src/device/intercept/rule.js';

interface Packet {
  family: 4 | 6;
  protocol: number;
  src: bigint;
  dst: bigint;
  fragment: boolean;
  /** undefined: none to be seen. */
  sport: number | undefined;
  dport: number | undefined;
  l4: number;
}

const PORTED = new Set([6, 17, 33, 132, 136]);

/** True: taken. `mac`: the device's, as hex. */
export function isTakenBy(rules: readonly InterceptRule[], device: string, mac: string, frame: Buffer): boolean {
  const here = rules.filter(({ iif }) => iif === undefined || iif === device);
  if (frame.length < 34) return false;
  const type = frame.readUInt16BE(12);
  if (type === 0x0806) return frame.length >= 42 && asksBy(here, frame);
  const toUs = frame.toString('hex', 0, 6) === mac;
  const packet = type === 0x0800 && toUs ? parse4(frame) : type === 0x86dd ? parse6(frame) : undefined;
  if (packet === undefined || (!toUs && (frame[0]! & 1) === 0)) return false;
  if (!packet.fragment && packet.protocol === (packet.family === 4 ? 1 : 58)) {
    if (frame.length < packet.l4 + 8) return false;
    if (isCutSolicitation(packet, frame)) return false;
    if (solicits(here, packet, frame)) return true;
    if (
      toUs &&
      isError(packet.family, frame[packet.l4]!) &&
      here.some((r) => r.kind === 'icmpError' && r.about.family === packet.family)
    )
      return true;
  }
  return toUs && here.some((rule) => rule.kind === 'packet' && matches(rule, packet));
}

function asksBy(rules: readonly InterceptRule[], frame: Buffer): boolean {
  if (frame.toString('hex', 14, 22) !== '0001080006040001') return false;
  const target = BigInt(frame.readUInt32BE(38));
  return rules.some((rule) => rule.kind === 'arp' && !rule.target.includes(':') && within(rule.target, target, 4));
}

function isCutSolicitation({ family, l4 }: Packet, frame: Buffer): boolean {
  return family === 6 && frame[l4] === 135 && frame.length < l4 + 24;
}

function solicits(rules: readonly InterceptRule[], packet: Packet, frame: Buffer): boolean {
  if (packet.family !== 6 || frame[packet.l4] !== 135) return false;
  const target = BigInt(`0x${frame.toString('hex', packet.l4 + 8, packet.l4 + 24)}`);
  return rules.some((rule) => rule.kind === 'arp' && rule.target.includes(':') && within(rule.target, target, 6));
}

function isError(family: 4 | 6, type: number): boolean {
  return (family === 4 ? [3, 4, 11, 12] : [1, 2, 3, 4]).includes(type);
}

function parse4(frame: Buffer): Packet | undefined {
  const ihl = (frame[14]! & 15) * 4;
  if (frame[14]! >> 4 !== 4 || ihl < 20) return undefined;
  const fragment = (frame.readUInt16BE(20) & 0x3fff) !== 0;
  const [src, dst] = [BigInt(frame.readUInt32BE(26)), BigInt(frame.readUInt32BE(30))];
  return withPorts(frame, { family: 4, protocol: frame[23]!, src, dst, fragment, l4: 14 + ihl });
}

function parse6(frame: Buffer): Packet | undefined {
  if (frame.length < 54) return undefined;
  let [next, l4, fragment] = [frame[20]!, 54, false];
  for (let i = 0; [0, 43, 44, 51, 60].includes(next) && !fragment; i++) {
    if (i === 8 || l4 + 8 > frame.length) return undefined;
    const kind = next;
    next = frame[l4]!;
    if (kind === 44) fragment = (frame.readUInt16BE(l4 + 2) & 0xfff9) !== 0;
    l4 += kind === 44 ? 8 : kind === 51 ? (frame[l4 + 1]! + 2) * 4 : (frame[l4 + 1]! + 1) * 8;
  }
  const src = BigInt(`0x${frame.toString('hex', 22, 38)}`);
  const dst = BigInt(`0x${frame.toString('hex', 38, 54)}`);
  return withPorts(frame, { family: 6, protocol: next, src, dst, fragment, l4 });
}

/** undefined: it should have ports, and is too short. */
function withPorts(frame: Buffer, packet: Omit<Packet, 'sport' | 'dport'>): Packet | undefined {
  if (packet.fragment || !PORTED.has(packet.protocol)) return { ...packet, sport: undefined, dport: undefined };
  if (frame.length < packet.l4 + 4) return undefined;
  return { ...packet, sport: frame.readUInt16BE(packet.l4), dport: frame.readUInt16BE(packet.l4 + 2) };
}

/** A fragment could be of a packet with any ports. */
function matches(rule: PacketMatch, packet: Packet): boolean {
  if (rule.family !== packet.family) return false;
  if (rule.protocol !== undefined && rule.protocol !== packet.protocol) return false;
  if (rule.saddr !== undefined && !within(rule.saddr, packet.src, packet.family)) return false;
  if (rule.daddr !== undefined && !within(rule.daddr, packet.dst, packet.family)) return false;
  return inRanges(rule.sport, packet.sport) && inRanges(rule.dport, packet.dport);
}

function inRanges(ranges: readonly PortRange[] | undefined, port: number | undefined): boolean {
  if (ranges === undefined || ranges.length === 0 || port === undefined) return true;
  return ranges.some(([from, to]) => from <= port && port <= to);
}

function within(text: string, address: bigint, family: 4 | 6): boolean {
  if (text.includes('-')) {
    const [from, to] = text.split('-').map((one) => toNumber(one, family)) as [bigint, bigint];
    return from <= address && address <= to;
  }
  const [net, length] = text.split('/');
  const rest = BigInt((family === 4 ? 32 : 128) - Number(length ?? (family === 4 ? 32 : 128)));
  return address >> rest === toNumber(net!, family) >> rest;
}

/** IPv6 only as the tests write it: groups with one `::` in between. */
export function toNumber(text: string, family: 4 | 6): bigint {
  if (family === 4) return text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n);
  const [head, tail] = text.split('::').map((half) => half.split(':').filter(Boolean)) as [string[], string[]];
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return groups.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n);
}
