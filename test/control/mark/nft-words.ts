/**
 * Mark rules in the words of nft, for a chain at ingress: the kernel's judgement on what a rule
 * matches. A chain for mark 1 is
 *
 *     meta mark set 0
 *     <nftMark(rule)>                 the lines of each rule, in order
 *     meta mark 0x1 counter drop
 */
import type { Family } from '../../../src/service/config.js';
import type { FlagMatch, MarkRule, NetMatch, PortMatch } from '../../../src/service/mark.js';

/**
 * The match of a rule, without a statement: a line for each kind of packet; a packet matches one of
 * them at most. `meta protocol ip iifname "eth0" ip daddr 10.9.0.0/16 meta l4proto 6 ip frag-off &
 * 0x1fff == 0 th dport 80`.
 */
export function toNft(rule: MarkRule): string[] {
  return familiesOf(rule).flatMap((family) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const head = [
      `meta protocol ${ip}`,
      device(rule),
      address(`${ip} saddr`, rule.src),
      address(`${ip} daddr`, rule.dst),
    ];
    const tail = [ports('th sport', rule.sports), ports('th dport', rule.dports), flags(rule.tcpFlags), icmp(rule)];
    return notLaterFragment(rule, family).map((whole) =>
      [...head, protocol(rule), whole, ...tail, mark(rule)].filter((word) => word !== '').join(' '),
    );
  });
}

/** The whole lines: the match and its change of the mark. */
export function nftMark(rule: MarkRule): string[] {
  const keep = ~rule.clear >>> 0;
  const made = keep === 0 ? hex(rule.flip) : `meta mark and ${hex(keep)} xor ${hex(rule.flip)}`;
  return toNft(rule).map((match) => `${match} meta mark set ${made}`);
}

function familiesOf({ family }: MarkRule): readonly Family[] {
  return family ? [family] : [4, 6];
}

/**
 * iptables finds no ports in a later fragment. nft at ingress reads the bytes in their place (seen
 * with Linux 6.18), so that the lines must exclude later fragments. An IPv6 packet has no fragment
 * header, or one with offset 0: two lines.
 */
function notLaterFragment({ sports, dports, tcpFlags, icmp }: MarkRule, family: Family): string[] {
  if (!(sports || dports || tcpFlags || icmp)) return [''];
  return family === 4 ? ['ip frag-off & 0x1fff == 0'] : ['exthdr frag missing', 'frag frag-off 0'];
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

function is(negated: boolean): string {
  return negated ? '!= ' : '';
}

function device({ device }: MarkRule): string {
  if (!device) return '';
  const name = device.name.endsWith('+') ? `${device.name.slice(0, -1)}*` : device.name;
  return name === '*' ? '' : `iifname ${is(device.negated)}"${name}"`;
}

function address(words: string, match: NetMatch | undefined): string {
  if (!match) return '';
  return `${words} ${is(match.negated)}${match.address}/${match.length}`;
}

function protocol({ protocol }: MarkRule): string {
  return protocol ? `meta l4proto ${is(protocol.negated)}${protocol.protocol}` : '';
}

function ports(words: string, match: PortMatch | undefined): string {
  if (!match) return '';
  const ranges = apart(match).map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`));
  return `${words} ${is(match.negated)}${ranges.length === 1 ? ranges[0] : `{ ${ranges.join(', ')} }`}`;
}

/** Sorted and merged: an nft set takes no overlapping intervals. */
function apart({ ranges }: PortMatch): [number, number][] {
  const merged: [number, number][] = [];
  for (const [low, high] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

function flags(match: FlagMatch | undefined): string {
  if (!match) return '';
  return `tcp flags & ${hex(match.mask)} ${match.negated ? '!=' : '=='} ${hex(match.value)}`;
}

/** Type and code as one 16-bit word, so that the pair can be negated. */
function icmp({ icmp }: MarkRule): string {
  if (!icmp) return '';
  const [low, high] = icmp.code.map((code) => icmp.type * 256 + code);
  return `@th,0,16 ${is(icmp.negated)}${low === high ? low : `${low}-${high}`}`;
}

function mark({ mark }: MarkRule): string {
  return mark ? `meta mark & ${hex(mark.mask)} ${mark.negated ? '!=' : '=='} ${hex(mark.value)}` : '';
}
