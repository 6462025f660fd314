/**
 * The mark rules as numbers: one row of int32 words per rule, port ranges in a pool, devices as one
 * byte per rule and device. Matching reads numbers only.
 *
 *      rows:    | TESTS | FAMILY | PROTOCOL | SRC ×4 | its mask ×4 | DST ×4 | its mask ×4 | SPORTS first, n | … | CLEAR | FLIP |
 *      pool:    | low | high | low | high | …                       SPORTS and DPORTS point in here
 *      devices: | rule 0: dev 0, dev 1, … | rule 1: dev 0, …        1: this rule is for packets of this device
 *
 * TESTS has one bit per test of the rule, and a bit 16 places above it that inverts the result
 * (`!`).
 */
import { type MarkRule, namesDevice } from '../../service/mark.js';
import type { ServiceTable } from '../../service/table.js';
import { maskWord, parse4, parse6 } from '../../wire/address.js';
import type { PacketInfo } from '../parse/packet.js';

const TESTS = 0;
const FAMILY = 1;
const PROTOCOL = 2;
const SRC = 3;
const DST = 11;
const SPORTS = 19;
const DPORTS = 21;
const FLAGS = 23;
const ICMP_TYPE = 25;
const ICMP_CODES = 26;
const MARK = 28;
const CLEAR = 30;
const FLIP = 31;
const STRIDE = 32;

const T_FAMILY = 0x01;
const T_PROTOCOL = 0x02;
const T_SRC = 0x04;
const T_DST = 0x08;
const T_SPORTS = 0x10;
const T_DPORTS = 0x20;
const T_FLAGS = 0x40;
const T_ICMP = 0x80;
const T_MARK = 0x100;
/**
 * Tests that need the transport header. A later fragment fails them, inverted or not, as in
 * iptables.
 */
const T_TRANSPORT = T_SPORTS | T_DPORTS | T_FLAGS | T_ICMP;
const NEGATED = 16;

export class Marks {
  private readonly count: number;
  private readonly rows: Int32Array;
  private readonly pool: Int32Array;
  private readonly devices: Uint8Array;
  private readonly deviceCount: number;
  /** By rule: 1 when nft can express it (control/mark/to-intercept.ts). */
  private readonly expressible: Uint8Array;

  /** `devices`: names, in the order of PacketInfo's device index. */
  constructor(rules: readonly MarkRule[], devices: readonly string[]) {
    const pool: number[] = [];
    this.count = rules.length;
    this.rows = Int32Array.from(rules.flatMap((rule) => flatten(rule, pool)));
    this.pool = Int32Array.from(pool);
    this.deviceCount = devices.length;
    this.expressible = Uint8Array.from(rules.map((rule) => Number(isExpressible(rule))));
    this.devices = Uint8Array.from(rules.flatMap((rule) => devices.map((name) => Number(fromDevice(rule, name)))));
  }

  /**
   * Returns the mark that the rules give the packet, unsigned, 0 when no rule matches. Does not
   * read or write the packet's mark.
   */
  match(info: PacketInfo): number {
    if (info.device >= this.deviceCount) return 0;
    let mark = 0;
    for (let rule = 0; rule < this.count; rule++) {
      if (this.devices[rule * this.deviceCount + info.device] !== 1) continue;
      const row = rule * STRIDE;
      if (this.matches(row, info, mark)) mark = (mark & ~this.rows[row + CLEAR]!) ^ this.rows[row + FLIP]!;
    }
    return mark >>> 0;
  }

  /**
   * Returns true when nft keeps the packet from the host's stack for an fwmark service (`markRules`
   * of control/host/intercept-rules.ts): a rule that nft can express matches and can set the mark
   * of a service. nft does not see that a later rule changes the mark.
   */
  isIntercepted(info: PacketInfo, services: ServiceTable): boolean {
    if (info.device >= this.deviceCount) return false;
    for (let rule = 0; rule < this.count; rule++) {
      if (this.devices[rule * this.deviceCount + info.device] !== 1 || this.expressible[rule] !== 1) continue;
      const row = rule * STRIDE;
      if (this.canMark(row, info.family, services) && this.matches(row, info, 0)) return true;
    }
    return false;
  }

  /** A rule that changes only some bits can set any mark. */
  private canMark(row: number, family: number, services: ServiceTable): boolean {
    if (this.rows[row + CLEAR] !== -1) return services.hasMarks(family);
    return services.isMarked(this.rows[row + FLIP]! >>> 0, family);
  }

  private matches(row: number, info: PacketInfo, mark: number): boolean {
    const tests = this.rows[row + TESTS]!;
    if (tests & T_FAMILY && this.rows[row + FAMILY] !== info.family) return false;
    if (tests & T_PROTOCOL && failed(tests, T_PROTOCOL, this.rows[row + PROTOCOL] === info.protocol)) return false;
    if (tests & T_SRC && failed(tests, T_SRC, this.within(row + SRC, info.family, info.src, info.src6))) return false;
    if (tests & T_DST && failed(tests, T_DST, this.within(row + DST, info.family, info.dst, info.dst6))) return false;
    if (tests & T_MARK && failed(tests, T_MARK, (mark & this.rows[row + MARK + 1]!) === this.rows[row + MARK])) {
      return false;
    }
    return (tests & T_TRANSPORT) === 0 || (info.fragmentOffset === 0 && this.matchesTransport(tests, row, info));
  }

  private matchesTransport(tests: number, row: number, info: PacketInfo): boolean {
    if (tests & T_SPORTS && failed(tests, T_SPORTS, this.inRanges(row + SPORTS, info.sport))) return false;
    if (tests & T_DPORTS && failed(tests, T_DPORTS, this.inRanges(row + DPORTS, info.dport))) return false;
    const rows = this.rows;
    if (tests & T_FLAGS && failed(tests, T_FLAGS, (info.tcpFlags & rows[row + FLAGS]!) === rows[row + FLAGS + 1])) {
      return false;
    }
    return (tests & T_ICMP) === 0 || !failed(tests, T_ICMP, this.isIcmp(row, info));
  }

  private within(at: number, family: number, address: number, words: Int32Array): boolean {
    const rows = this.rows;
    if (family === 4) return (address & rows[at + 4]!) === rows[at];
    for (let i = 0; i < 4; i++) if ((words[i]! & rows[at + 4 + i]!) !== rows[at + i]) return false;
    return true;
  }

  private inRanges(at: number, port: number): boolean {
    const first = this.rows[at]!;
    const end = first + 2 * this.rows[at + 1]!;
    for (let i = first; i < end; i += 2) if (port >= this.pool[i]! && port <= this.pool[i + 1]!) return true;
    return false;
  }

  private isIcmp(row: number, info: PacketInfo): boolean {
    const rows = this.rows;
    if (info.icmpType !== rows[row + ICMP_TYPE]) return false;
    return info.icmpCode >= rows[row + ICMP_CODES]! && info.icmpCode <= rows[row + ICMP_CODES + 1]!;
  }
}

function failed(tests: number, test: number, holds: boolean): boolean {
  return holds === ((tests & (test << NEGATED)) !== 0);
}

/** Returns true when nft can express the rule: as `toIntercept` of control/mark/to-intercept.ts. */
function isExpressible({ device, src, dst, protocol, sports, dports, tcpFlags, icmp, mark }: MarkRule): boolean {
  if (tcpFlags || icmp || mark || device?.name.endsWith('+')) return false;
  return ![device, src, dst, protocol, sports, dports].some((match) => match?.negated);
}

function fromDevice({ device }: MarkRule, name: string): boolean {
  return !device || namesDevice(device.name, name) !== device.negated;
}

function flatten(rule: MarkRule, pool: number[]): number[] {
  const row = new Array<number>(STRIDE).fill(0);
  row[TESTS] = testsOf(rule);
  row[FAMILY] = rule.family ?? 0;
  row[PROTOCOL] = rule.protocol?.protocol ?? 0;
  if (rule.src) row.splice(SRC, 8, ...prefixWords(rule.src));
  if (rule.dst) row.splice(DST, 8, ...prefixWords(rule.dst));
  if (rule.sports) row.splice(SPORTS, 2, ...pooled(rule.sports.ranges, pool));
  if (rule.dports) row.splice(DPORTS, 2, ...pooled(rule.dports.ranges, pool));
  if (rule.tcpFlags) row.splice(FLAGS, 2, rule.tcpFlags.mask, rule.tcpFlags.value);
  if (rule.icmp) row.splice(ICMP_TYPE, 3, rule.icmp.type, ...rule.icmp.code);
  if (rule.mark) row.splice(MARK, 2, rule.mark.value | 0, rule.mark.mask | 0);
  row.splice(CLEAR, 2, rule.clear | 0, rule.flip | 0);
  return row;
}

function testsOf(rule: MarkRule): number {
  const bit = (test: number, match: { negated: boolean } | undefined) =>
    match ? test | (match.negated ? test << NEGATED : 0) : 0;
  const addresses = bit(T_SRC, rule.src) | bit(T_DST, rule.dst) | bit(T_PROTOCOL, rule.protocol);
  const transport = bit(T_SPORTS, rule.sports) | bit(T_DPORTS, rule.dports) | bit(T_FLAGS, rule.tcpFlags);
  return addresses | transport | bit(T_ICMP, rule.icmp) | bit(T_MARK, rule.mark) | (rule.family ? T_FAMILY : 0);
}

/** Four words of address and four of mask. IPv4 uses the first of each. */
function prefixWords({ address, length }: { address: string; length: number }): number[] {
  const four = parse4(address);
  const words = four === undefined ? [...parse6(address)!] : [four, 0, 0, 0];
  return [...words, ...[0, 1, 2, 3].map((i) => maskWord(length, i))];
}

/** Returns the index of the first range in the pool, and the number of ranges. */
function pooled(ranges: readonly (readonly [number, number])[], pool: number[]): [number, number] {
  const first = pool.length;
  for (const range of ranges) pool.push(...range);
  return [first, ranges.length];
}
