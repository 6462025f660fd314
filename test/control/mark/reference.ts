/** The mark rules read aloud, with BigInt addresses and closures: the reference for the flattened evaluator. */
import type { PacketInfo } from '../../../src/dataplane/parse/packet.js';
import { type MarkRule, type NetMatch, namesDevice } from '../../../src/service/mark.js';
import { parse4, parse6 } from '../../../src/wire/address.js';

interface Turned {
  readonly negated: boolean;
}

export function slowMark(rules: readonly MarkRule[], info: PacketInfo, devices: readonly string[]): number {
  const marked = rules.reduce((mark, rule) => {
    if (!holds(rule, info, devices[info.device]!, mark)) return mark;
    return (mark & ~BigInt(rule.clear)) ^ BigInt(rule.flip);
  }, 0n);
  return Number(BigInt.asUintN(32, marked));
}

function holds(rule: MarkRule, info: PacketInfo, device: string, mark: bigint): boolean {
  const whole = info.fragmentOffset === 0;
  const inRanges = (port: number) => (match: { ranges: readonly (readonly [number, number])[] }) =>
    match.ranges.some(([low, high]) => low <= port && port <= high);
  const parts = [
    rule.family === undefined || rule.family === info.family,
    test(rule.device, ({ name }) => namesDevice(name, device)),
    test(rule.src, (net) => inside(net, info.family === 4 ? [info.src] : info.src6)),
    test(rule.dst, (net) => inside(net, info.family === 4 ? [info.dst] : info.dst6)),
    test(rule.protocol, ({ protocol }) => protocol === info.protocol),
    test(rule.mark, ({ value, mask }) => (mark & BigInt(mask)) === BigInt(value)),
    !rule.sports || (whole && test(rule.sports, inRanges(info.sport))),
    !rule.dports || (whole && test(rule.dports, inRanges(info.dport))),
    !rule.tcpFlags || (whole && test(rule.tcpFlags, ({ mask, value }) => (info.tcpFlags & mask) === value)),
    !rule.icmp || (whole && test(rule.icmp, (icmp) => isType(icmp, info))),
  ];
  return parts.every(Boolean);
}

function test<T extends Turned>(match: T | undefined, holds: (match: T) => boolean): boolean {
  return match === undefined || holds(match) !== match.negated;
}

function isType({ type, code }: { type: number; code: readonly [number, number] }, info: PacketInfo): boolean {
  return info.icmpType === type && code[0] <= info.icmpCode && info.icmpCode <= code[1];
}

function inside({ address, length }: NetMatch, words: Iterable<number>): boolean {
  const four = parse4(address);
  const network = big(four === undefined ? parse6(address)! : [four]);
  const width = four === undefined ? 128 : 32;
  return big(words) >> BigInt(width - length) === network >> BigInt(width - length);
}

function big(words: Iterable<number>): bigint {
  return [...words].reduce((sum, word) => (sum << 32n) | BigInt(word >>> 0), 0n);
}
