/**
 * Parser of trace filters: the part of tcpdump's language about hosts, networks, ports and
 * protocols.
 *
 *     expression  = term { ("and" | "&&" | "or" | "||") term }          "and" binds tighter
 *     term        = [ "not" | "!" ] ( "(" expression ")" | primitive )
 *     primitive   = [ "ip" | "ip6" | "tcp" | "udp" | "icmp" … ] [ "src" | "dst" ] [ "host" A | "net" N | "port" P | "portrange" P-P ]
 *                   | address | protocol word
 */
import type { Filter, Side } from '../../dataplane/trace/filter.js';
import { networkOf, parsePrefix } from '../text/prefix.js';

/** A mistake in a filter; the message is one line for the user. */
export class FilterError extends Error {
  override readonly name = 'FilterError';
}

const PROTOCOLS: Readonly<Record<string, Filter>> = {
  tcp: { kind: 'protocol', protocol: 6 },
  udp: { kind: 'protocol', protocol: 17 },
  sctp: { kind: 'protocol', protocol: 132 },
  icmp: { kind: 'protocol', protocol: 1 },
  icmp6: { kind: 'protocol', protocol: 58 },
  ip: { kind: 'family', family: 4 },
  ip6: { kind: 'family', family: 6 },
  arp: { kind: 'arp' },
};
const KNOWN = 'host, net, port, portrange, src, dst, tcp, udp, sctp, icmp, icmp6, ip, ip6, arp, and, or, not';

/** The filter; an empty text matches everything. Throws a FilterError that names the word. */
export function parseFilter(text: string): Filter {
  const words = text
    .replace(/([()!]|&&|\|\|)/g, ' $1 ')
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) return { kind: 'all' };
  const parser = new Parser(words);
  const filter = parser.expression();
  parser.mustBeOver();
  return filter;
}

class Parser {
  private at = 0;

  constructor(private readonly words: readonly string[]) {}

  expression(): Filter {
    let left = this.conjunction();
    while (this.accept('or', '||')) left = { kind: 'or', left, right: this.conjunction() };
    return left;
  }

  mustBeOver(): void {
    if (this.at < this.words.length) throw new FilterError(`filter: "${this.words[this.at]}" is not expected here`);
  }

  private conjunction(): Filter {
    let left = this.term();
    while (this.accept('and', '&&')) left = { kind: 'and', left, right: this.term() };
    return left;
  }

  private term(): Filter {
    if (this.accept('not', '!')) return { kind: 'not', of: this.term() };
    if (!this.accept('(')) return this.primitive();
    const inside = this.expression();
    if (!this.accept(')')) throw new FilterError('filter: a ")" is missing');
    return inside;
  }

  private primitive(): Filter {
    const protocol = PROTOCOLS[this.words[this.at] ?? ''];
    if (protocol === undefined) return this.place(this.side());
    this.at++;
    if (!this.continues()) return protocol;
    return { kind: 'and', left: protocol, right: this.place(this.side()) };
  }

  /** A primitive follows the protocol word: "tcp port 80", "udp src host A". */
  private continues(): boolean {
    return ['src', 'dst', 'host', 'net', 'port', 'portrange'].includes(this.words[this.at] ?? '');
  }

  private side(): Side {
    if (this.accept('src')) return 'src';
    return this.accept('dst') ? 'dst' : 'either';
  }

  private place(side: Side): Filter {
    if (this.accept('port')) return this.ports(side, this.next('port'));
    if (this.accept('portrange')) return this.ports(side, this.next('portrange'));
    const isNet = this.accept('net');
    if (!isNet) this.accept('host');
    return address(side, this.next(isNet ? 'net' : 'host'), isNet);
  }

  private ports(side: Side, text: string): Filter {
    const [, low, high] = text.match(/^(\d{1,5})(?:-(\d{1,5}))?$/) ?? [];
    const from = Number(low ?? -1);
    const to = Number(high ?? low ?? -1);
    if (from < 0 || to > 65535 || from > to) throw new FilterError(`filter: "${text}" is not a port from 0 to 65535`);
    return { kind: 'port', side, from, to };
  }

  private accept(...words: readonly string[]): boolean {
    if (!words.includes(this.words[this.at] ?? '')) return false;
    this.at++;
    return true;
  }

  private next(after: string): string {
    const word = this.words[this.at++];
    if (word === undefined) throw new FilterError(`filter: something must follow "${after}"`);
    return word;
  }
}

function address(side: Side, text: string, isNet: boolean): Filter {
  const prefix = parsePrefix(text);
  if (prefix === undefined || (!isNet && text.includes('/')))
    throw new FilterError(`filter: "${text}" is not an address and not one of the words ${KNOWN}`);
  const { family, words } = networkOf(prefix);
  return { kind: 'net', side, family, words: family === 4 ? [0, 0, 0, words[0]!] : [...words], length: prefix.length };
}
