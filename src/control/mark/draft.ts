/** A mark rule while it is parsed, and checks of its parts against each other. */
import type { Family } from '../../service/config.js';
import type { MarkRule } from '../../service/mark.js';
import { addressFamily } from '../../wire/address.js';
import { ICMP } from '../../wire/ipv4.js';
import { ICMP6 } from '../../wire/ipv6.js';
import { MarkRuleError } from './words.js';

/** The parts that are parsed so far. */
export type MarkDraft = { -readonly [K in keyof MarkRule]?: MarkRule[K] } & {
  text: string;
  /** Matches named by -m. */
  modules: Set<string>;
  /** -j MARK was given. */
  target?: true;
};

/**
 * The family that follows from program, addresses and ICMP protocol; undefined: from none of them.
 * Throws a MarkRuleError when they differ.
 */
export function draftFamily(draft: MarkDraft): Family | undefined {
  const claims: [Family, string][] = [];
  if (draft.family) claims.push([draft.family, draft.family === 4 ? 'iptables' : 'ip6tables']);
  if (draft.src) claims.push([addressFamily(draft.src.address), `-s ${draft.src.address}`]);
  if (draft.dst) claims.push([addressFamily(draft.dst.address), `-d ${draft.dst.address}`]);
  const protocol = draft.protocol?.negated === false ? draft.protocol.protocol : undefined;
  if (protocol === ICMP) claims.push([4, '-p icmp']);
  if (protocol === ICMP6) claims.push([6, '-p icmpv6']);
  const first = claims[0];
  const other = claims.find(([family]) => family !== first?.[0]);
  if (first && other) throw new MarkRuleError(`${first[1]} is IPv${first[0]} but ${other[1]} is IPv${other[0]}`);
  return first?.[0];
}

/** The protocol, unless it is negated: some options need one. */
export function plainProtocol(draft: MarkDraft): number | undefined {
  return draft.protocol?.negated === false ? draft.protocol.protocol : undefined;
}

/** Sets a part that may be given once. Throws a MarkRuleError the second time. */
export function once<K extends keyof MarkDraft>(draft: MarkDraft, key: K, word: string, value: MarkDraft[K]): void {
  if (draft[key] !== undefined) throw new MarkRuleError(`${word} is given twice`);
  draft[key] = value;
}
