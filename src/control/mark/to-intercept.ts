/**
 * Mark rules as intercept rules, for the nft chain and the XDP maps that keep packets of the
 * director from the host's stack. An intercept rule cannot express negation, TCP flags, ICMP types,
 * `-m mark` and `eth+`.
 */
import type { InterceptRule } from '../../device/intercept/rule.js';
import type { Family } from '../../service/config.js';
import type { MarkRule, PortMatch } from '../../service/mark.js';

type PacketRule = Extract<InterceptRule, { kind: 'packet' }>;

function familiesOf({ family }: MarkRule): readonly Family[] {
  return family ? [family] : [4, 6];
}

/** The ranges sorted and merged: an nft set accepts no overlapping intervals. */
function merged(match: PortMatch): [number, number][] {
  const ranges: [number, number][] = [];
  for (const [low, high] of [...match.ranges].sort((a, b) => a[0] - b[0])) {
    const last = ranges.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else ranges.push([low, high]);
  }
  return ranges;
}

/**
 * Intercept rules for every packet that the rule matches, and perhaps others: matches that they
 * cannot express are left out.
 */
export function toInterceptAtLeast(rule: MarkRule): PacketRule[] {
  const rest: { -readonly [K in keyof MarkRule]: MarkRule[K] } = { ...rule };
  for (const key of ['tcpFlags', 'icmp', 'mark'] as const) delete rest[key];
  for (const key of ['device', 'src', 'dst', 'protocol', 'sports', 'dports'] as const)
    if (rest[key]?.negated) delete rest[key];
  if (rest.device?.name.endsWith('+')) delete rest.device;
  return toIntercept(rest)!;
}

/**
 * Intercept rules with exactly the matches of the rule, one for each family; undefined: they cannot
 * express it.
 */
export function toIntercept(rule: MarkRule): PacketRule[] | undefined {
  const { device, src, dst, protocol, sports, dports, tcpFlags, icmp, mark } = rule;
  if (tcpFlags || icmp || mark || device?.name.endsWith('+')) return undefined;
  if ([device, src, dst, protocol, sports, dports].some((match) => match?.negated)) return undefined;
  return familiesOf(rule).map((family) => ({
    kind: 'packet',
    family,
    ...(device && { iif: device.name }),
    ...(src && { saddr: `${src.address}/${src.length}` }),
    ...(dst && { daddr: `${dst.address}/${dst.length}` }),
    ...(protocol && { protocol: protocol.protocol }),
    ...(sports && { sport: merged(sports) }),
    ...(dports && { dport: merged(dports) }),
  }));
}
