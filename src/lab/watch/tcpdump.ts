/**
 * Reads what `tcpdump -tt -nn -e -vv` prints of IP over Ethernet:
 *
 *     1700000000.000000 02:…:0d:01 > 02:…:0b:01, ethertype IPv4 (0x0800), length 74: (tos 0x0, ttl 63, id …, length 60)
 *         10.0.0.1.40000 > 192.168.1.11.8080: Flags [S], cksum 0x1234 (correct), seq …, length 0
 *
 * and, of IPIP, an outer pair of addresses with a second bracket between the two lines.
 */
import { endpoint } from '../../service/config.js';

export interface Seen {
  /** Seconds. */
  readonly time: number;
  readonly sourceMac: string;
  readonly destinationMac: string;
  /** The tunnel around it. */
  readonly outer?: { source: string; destination: string };
  /** Addresses with port where there is one: 10.0.0.1:40000. */
  readonly source: string;
  readonly destination: string;
  /** Of the innermost IP header (the hop limit of IPv6). */
  readonly ttl: number;
  readonly protocol: string;
  /** TCP flags as tcpdump writes them, '' otherwise. */
  readonly flags: string;
  /** Of the payload, as tcpdump says. */
  readonly length: number;
  /** A checksum, of whatever layer, is wrong. */
  readonly bad: boolean;
  readonly text: string;
}

const FRAME = /^(\d+\.\d+) ([0-9a-f:]{17}) > ([0-9a-f:]{17}), ethertype IPv[46]/;
const ADDRESS = '(\\d+\\.\\d+\\.\\d+\\.\\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*)(?:\\.(\\d+))?';
const PAIR = new RegExp(`(?<![0-9a-f:.])${ADDRESS} > ${ADDRESS}:(?: |$)`, 'g');

/** The IP packets in `text`; everything else (ARP, its own remarks) is left out. */
export function readTcpdump(text: string): Seen[] {
  return text
    .replace(/\n\s+/g, ' ')
    .split('\n')
    .flatMap((line) => readPacket(line) ?? []);
}

function readPacket(text: string): Seen | undefined {
  const frame = FRAME.exec(text);
  const pairs = [...text.matchAll(PAIR)];
  const inner = pairs.at(-1);
  if (!frame || !inner) return undefined;
  return {
    time: Number(frame[1]),
    sourceMac: frame[2]!,
    destinationMac: frame[3]!,
    ...(pairs.length > 1 ? { outer: { source: pairs[0]![1]!, destination: pairs[0]![3]! } } : {}),
    source: withPort(inner[1]!, inner[2]),
    destination: withPort(inner[3]!, inner[4]),
    ttl: Number(last(text, /\b(?:ttl|hlim) (\d+)/g)),
    protocol: last(text, /\b(?:proto|next-header) (\S+) \(/g),
    flags: /Flags \[([^\]]*)\]/.exec(text)?.[1] ?? '',
    length: Number(last(text, /, length (\d+)/g) || 0),
    bad: /bad cksum|bad udp cksum|incorrect/.test(text),
    text,
  };
}

function withPort(address: string, port: string | undefined): string {
  return port === undefined ? address : endpoint(address, Number(port));
}

function last(text: string, pattern: RegExp): string {
  return [...text.matchAll(pattern)].at(-1)?.[1] ?? '';
}
