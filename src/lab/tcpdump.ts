/**
 * Reads what `tcpdump -tt -nn -e -vv` prints of IPv4 over Ethernet:
 *
 *     1700000000.000000 02:…:0d:01 > 02:…:0b:01, ethertype IPv4 (0x0800), length 74: (tos 0x0, ttl 63, id …, length 60)
 *         10.0.0.1.40000 > 192.168.1.11.8080: Flags [S], cksum 0x1234 (correct), seq …, length 0
 *
 * and, of IPIP, an outer pair of addresses with a second bracket between the two lines.
 */
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
  /** Of the innermost IPv4 header. */
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

const FRAME = /^(\d+\.\d+) ([0-9a-f:]{17}) > ([0-9a-f:]{17}), ethertype IPv4/;
const PAIR = /(\d+\.\d+\.\d+\.\d+)(?:\.(\d+))? > (\d+\.\d+\.\d+\.\d+)(?:\.(\d+))?:/g;

/** The IPv4 packets in `text`; everything else (ARP, its own remarks) is left out. */
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
    ttl: Number(last(text, /\bttl (\d+)/g)),
    protocol: last(text, /\bproto (\S+) \(/g),
    flags: /Flags \[([^\]]*)\]/.exec(text)?.[1] ?? '',
    length: Number(last(text, /, length (\d+)/g) || 0),
    bad: /bad cksum|bad udp cksum|incorrect/.test(text),
    text,
  };
}

function withPort(address: string, port: string | undefined): string {
  return port === undefined ? address : `${address}:${port}`;
}

function last(text: string, pattern: RegExp): string {
  return [...text.matchAll(pattern)].at(-1)?.[1] ?? '';
}
