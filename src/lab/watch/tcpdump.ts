/**
 * Parses what `tcpdump -tt -nn -e -vv` prints of IP over Ethernet:
 *
 *     1700000000.000000 02:…:0d:01 > 02:…:0b:01, ethertype IPv4 (0x0800), length 74: (tos 0x0, …
 *         10.0.0.1.40000 > 192.168.1.11.8080: Flags [S], cksum 0x1234 (correct), seq …, length 0
 *
 * For IPIP there is an outer pair of addresses with a second bracket between these two lines.
 */
import { endpoint } from '../../service/config.js';

export interface CapturedPacket {
  /** Unix time in seconds. */
  readonly time: number;
  readonly sourceMac: string;
  readonly destinationMac: string;
  /** The addresses of the outer header, if the packet is in a tunnel. */
  readonly outer?: { source: string; destination: string };
  /** Address, with the port if there is one: 10.0.0.1:40000. */
  readonly source: string;
  readonly destination: string;
  /** The TTL or hop limit of the innermost IP header. */
  readonly ttl: number;
  readonly protocol: string;
  /** TCP flags as tcpdump prints them; '' for other protocols. */
  readonly flags: string;
  /** The payload length that tcpdump prints, in bytes. */
  readonly length: number;
  /** A checksum of any layer is wrong. */
  readonly badChecksum: boolean;
  readonly text: string;
}

const FRAME = /^(\d+\.\d+) ([0-9a-f:]{17}) > ([0-9a-f:]{17}), ethertype IPv[46]/;
const ADDRESS = '(\\d+\\.\\d+\\.\\d+\\.\\d+|[0-9a-f]*:[0-9a-f:]*:[0-9a-f]*)(?:\\.(\\d+))?';
/** Bytes, of the frames on a wire. */
const LONGEST_FRAME = 1514;
const PAIR = new RegExp(`(?<![0-9a-f:.])${ADDRESS} > ${ADDRESS}:(?: |$)`, 'g');

/** Returns the IP packets in `text`. ARP and tcpdump's own messages are left out. */
export function readTcpdump(text: string): CapturedPacket[] {
  return text
    .replace(/\n\s+/g, ' ')
    .split('\n')
    .flatMap((line) => readPacket(line) ?? []);
}

function readPacket(text: string): CapturedPacket | undefined {
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
    badChecksum: (isGso(text) ? /bad cksum/ : /bad cksum|bad udp cksum|incorrect/).test(text),
    text,
  };
}

/**
 * A frame longer than a wire's is a GSO packet on this machine. Its transport checksum is partial:
 * who cuts it completes the checksum of each segment.
 */
function isGso(text: string): boolean {
  return Number(/ethertype \S+ \(\S+\), length (\d+)/.exec(text)?.[1] ?? 0) > LONGEST_FRAME;
}

function withPort(address: string, port: string | undefined): string {
  return port === undefined ? address : endpoint(address, Number(port));
}

function last(text: string, pattern: RegExp): string {
  return [...text.matchAll(pattern)].at(-1)?.[1] ?? '';
}
