/** The meaning of each option of a mark rule. The options are in src/control/mark/options.ts. */
import { markOptions } from '../../src/control/mark/options.js';
import type { Row } from './text/blocks.js';

/** Value and meaning, by the first word of an option. */
const MEANINGS: Readonly<Record<string, readonly [value: string, text: string]>> = {
  '-t': ['mangle', 'Has no effect: mark rules stand in mangle.'],
  '-A': ['PREROUTING', 'Has no effect: mark rules stand in PREROUTING.'],
  '-i': ['DEVICE', 'The packet came in by this device. `eth+` stands for all devices whose names begin with `eth`.'],
  '-s': ['ADDRESS[/LENGTH]', 'Source address or network.'],
  '-d': ['ADDRESS[/LENGTH]', 'Destination address or network.'],
  '-p': ['PROTOCOL', 'Protocol by name (`tcp`, `udp`, `icmp`) or by number.'],
  '-m': ['MATCH', 'Loads a match, as in iptables: `multiport`, `mark`, `comment` and the protocols.'],
  '--comment': ['TEXT', 'A comment. Needs `-m comment`.'],
  '--sport': ['PORT[:PORT]', 'Source port or range. Needs `-p tcp`, `udp` or `sctp`.'],
  '--dport': ['PORT[:PORT]', 'Destination port or range. Needs `-p tcp`, `udp` or `sctp`.'],
  '--sports': ['PORT[:PORT],…', 'Source ports and ranges. Needs `-m multiport`.'],
  '--dports': ['PORT[:PORT],…', 'Destination ports and ranges. Needs `-m multiport`.'],
  '--tcp-flags': ['MASK FLAGS', 'Of the flags in MASK exactly those in FLAGS are set. Needs `-p tcp`.'],
  '--syn': ['', 'As `--tcp-flags SYN,RST,ACK,FIN SYN`. Needs `-p tcp`.'],
  '--icmp-type': ['TYPE[/CODE]', 'Type of ICMP by name or number. Needs `-p icmp`.'],
  '--icmpv6-type': ['TYPE[/CODE]', 'Type of ICMPv6 by name or number. Needs `-p icmpv6`.'],
  '--mark': ['MARK[/MASK]', 'The mark that an earlier rule has set. Needs `-m mark`.'],
  '-j': ['MARK', 'The target. There is no other one.'],
  '--set-mark': ['MARK[/MASK]', 'Clears the bits of MASK and of MARK, then sets those of MARK. Needs `-j MARK`.'],
  '--set-xmark': ['MARK[/MASK]', 'Clears the bits of MASK, then inverts those of MARK. Needs `-j MARK`.'],
  '--or-mark': ['BITS', 'Sets these bits. Needs `-j MARK`.'],
  '--and-mark': ['BITS', 'Keeps only these bits. Needs `-j MARK`.'],
  '--xor-mark': ['BITS', 'Inverts these bits. Needs `-j MARK`.'],
};

/**
 * Rows of words, value, `!`, meaning. Throws when an option has no meaning here, or a meaning has
 * no option.
 */
export function markOptionRows(): Row[] {
  const groups = wordGroups();
  const unknown = Object.keys(MEANINGS).filter((word) => !groups.some(([first]) => first === word));
  if (unknown.length > 0) throw new Error(`tools/docs/mark-options.ts: no such option: ${unknown.join(', ')}`);
  return groups.map(rowOf);
}

/** The words of each option: they share a function. */
function wordGroups(): string[][] {
  const groups = new Map<unknown, string[]>();
  for (const [word, { read }] of Object.entries(markOptions)) groups.set(read, [...(groups.get(read) ?? []), word]);
  return [...groups.values()];
}

function rowOf(words: readonly string[]): Row {
  const meaning = MEANINGS[words[0]!];
  if (meaning === undefined) throw new Error(`tools/docs/mark-options.ts: ${words[0]} has no meaning`);
  const [value, text] = meaning;
  const shown = words.map((word) => `\`${word}\``).join(', ');
  return [shown, value === '' ? '' : `\`${value}\``, markOptions[words[0]!]!.negatable ? 'yes' : '', text];
}
