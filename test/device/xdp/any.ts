/** Random intercept rules, changes of them, and frames that they are about. */
import { RuleCounts } from '../../../src/control/host/rule-counts.js';
import type { InterceptRule, PacketMatch, PortRange } from '../../../src/device/intercept/rule.js';
import { hostDelta } from '../../../src/device/xdp/host-rule.js';
import type { InterceptMaps } from '../../../src/device/xdp/intercept-maps.js';
import type { Random } from '../../support/seed.js';
import { toNumber } from './reference.js';

export const MAC = '020000000d00';
const HOSTS4 = [
  '10.0.0.100',
  '10.0.0.101',
  '10.9.1.1',
  '10.9.255.255',
  '10.10.0.0',
  '192.168.1.11',
  '0.0.0.0',
  '255.255.255.255',
];
const NETS4 = [
  '10.9.0.0/16',
  '10.0.0.0/8',
  '10.0.0.96/29',
  '0.0.0.0/0',
  '10.0.0.99-10.0.0.101',
  '10.9.0.1-10.9.255.254',
];
const HOSTS6 = ['fd00::100', 'fd00::101', 'fd09:1::1', 'fe80::1', '::', 'ff02::1'];
const NETS6 = ['fd00::/64', 'fd09::/16', '::/0', 'fd00::ff-fd00::100', 'fd00::100/127'];
const PORTS = [0, 1, 53, 80, 81, 443, 8000, 8010, 8011, 65_535];
const PROTOCOLS = [1, 6, 6, 6, 17, 17, 33, 47, 58, 132, 136];

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

export function anyRule(random: Random): InterceptRule {
  const family = random.bool() ? 4 : 6;
  const address = () => pick(random, [...(family === 4 ? HOSTS4 : HOSTS6), ...(family === 4 ? NETS4 : NETS6)]);
  const iif = random.below(8) === 0 ? { iif: pick(random, ['eth0', 'eth1']) } : {};
  const kind = random.below(12);
  if (kind === 0) return { kind: 'icmpError', about: { family }, ...iif };
  if (kind <= 2) return { kind: 'arp', target: address() };
  const match: PacketMatch = { family };
  const shape = random.below(16);
  if (shape & 1) match.daddr = address();
  else if (shape & 2) match.saddr = address();
  else Object.assign(match, { saddr: address(), daddr: address() });
  if (random.below(3) > 0) match.protocol = pick(random, PROTOCOLS);
  if ([6, 17, 33, 132, 136].includes(match.protocol ?? 0)) {
    if (shape & 4) match.dport = ranges(random);
    if (shape & 8 && random.bool()) match.sport = ranges(random);
  }
  return { kind: 'packet', ...match, ...iif };
}

function ranges(random: Random): PortRange[] {
  return Array.from({ length: 1 + random.below(2) }, () => {
    const from = pick(random, PORTS);
    return [from, random.bool() ? from : Math.min(65_535, from + random.below(40))] as const;
  });
}

export function anyFrame(random: Random): Buffer {
  const kind = random.below(12);
  const frame = kind === 0 ? arp(random) : kind < 7 ? any4(random) : any6(random);
  if (random.below(10) === 0) frame[5]! ^= 1;
  if (random.below(10) === 0) frame[0]! |= 1;
  return random.below(12) === 0 ? frame.subarray(0, Math.max(14, random.below(frame.length))) : frame;
}

function arp(random: Random): Buffer {
  const target = toNumber(pick(random, HOSTS4), 4).toString(16).padStart(8, '0');
  const operation = pick(random, ['0001', '0001', '0002']);
  return Buffer.from(
    `ffffffffffff02000000000108060001080006040${operation.slice(1)}${'00'.repeat(16)}${target}`,
    'hex',
  );
}

function any4(random: Random): Buffer {
  const protocol = pick(random, PROTOCOLS);
  const options = Buffer.alloc(random.below(4) === 0 ? 4 * random.below(11) : 0);
  const frame = ip4(protocol, pick(random, HOSTS4), pick(random, HOSTS4), body(random, protocol), options);
  if (random.below(6) === 0) frame.writeUInt16BE(pick(random, [0x2000, 0x00b9, 0x20b9, 0x4000]), 20);
  return frame;
}

function any6(random: Random): Buffer {
  const protocol = pick(random, PROTOCOLS);
  let [next, rest] = [protocol, body(random, protocol)];
  for (let n = random.below(4) === 0 ? random.below(10) : 0; n > 0; n--) {
    const kind = pick(random, [0, 43, 60, 51, 44]);
    const units = kind === 44 ? 0 : random.below(3);
    const header = Buffer.alloc(kind === 44 ? 8 : kind === 51 ? (units + 2) * 4 : (units + 1) * 8);
    if (header.length < 8) continue;
    header.set([next, units]);
    if (kind === 44) header.writeUInt16BE(pick(random, [0, 0, 1, 8, 9]), 2);
    [next, rest] = [kind, Buffer.concat([header, rest])];
  }
  const addresses = [HOSTS6, HOSTS6].map((hosts) => toNumber(pick(random, hosts), 6).toString(16).padStart(32, '0'));
  const head = Buffer.from(`${MAC}02000000000186dd60000000000000${'40'}${addresses.join('')}`, 'hex');
  head[20] = next;
  head.writeUInt16BE(rest.length, 18);
  return Buffer.concat([head, rest]);
}

function body(random: Random, protocol: number): Buffer {
  if (protocol === 1) return Buffer.from([pick(random, [3, 4, 5, 8, 11, 12]), 0, 0, 0, 0, 0, 0, 0]);
  if (protocol !== 58) return ports(pick(random, PORTS), pick(random, PORTS));
  const target = Buffer.from(toNumber(pick(random, HOSTS6), 6).toString(16).padStart(32, '0'), 'hex');
  return Buffer.concat([Buffer.from([pick(random, [1, 2, 4, 128, 135, 135, 136]), 0, 0, 0, 0, 0, 0, 0]), target]);
}

export function ports(sport: number, dport: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16BE(sport, 0);
  bytes.writeUInt16BE(dport, 2);
  return bytes;
}

export function ip4(protocol: number, src: string, dst: string, rest: Buffer, options = Buffer.alloc(0)): Buffer {
  const head = Buffer.from(`${MAC}0200000000010800${'45000000000000004000'}${'0000'}`, 'hex');
  head[14] = 0x45 + options.length / 4;
  head[23] = protocol;
  const addresses = [src, dst].map((text) => Buffer.from(text.split('.').map(Number)));
  return Buffer.concat([head, ...addresses, options, rest]);
}

/** Exchanges some rules about single addresses for others, one by one. Returns the rules in force. */
export function changeHosts(rules: readonly InterceptRule[], random: Random, maps: InterceptMaps): InterceptRule[] {
  const known = new Set(rules.map((rule) => JSON.stringify(rule)));
  const isHost = (rule: InterceptRule) => hostDelta([rule], []) !== undefined;
  const isOnly = (rule: InterceptRule) =>
    rules.filter((one) => JSON.stringify(one) === JSON.stringify(rule)).length === 1;
  const removed = rules.filter((rule) => isHost(rule) && isOnly(rule) && random.bool());
  const fresh = new Map(Array.from({ length: 4 }, () => anyRule(random)).map((rule) => [JSON.stringify(rule), rule]));
  const added = [...fresh].filter(([text, rule]) => !known.has(text) && isHost(rule)).map(([, rule]) => rule);
  // As the control thread has them: rules about replies are keys.
  const counts = new RuleCounts();
  for (const rule of removed) counts.hold(rule);
  counts.take();
  for (const rule of added) counts.hold(rule);
  for (const rule of removed) counts.drop(rule);
  const delta = counts.take();
  maps.change(hostDelta(delta.added, delta.removed)!, delta.replies);
  return [...rules.filter((rule) => !removed.includes(rule)), ...added];
}
