/**
 * Compares the answers of ulvs with the recorded answers of the kernel, frame by frame and line by
 * line. Fields that may have any value in IPVS are masked, each by a named mask. Everything else
 * must be equal.
 */
import type { Row } from '../../src/replay/scenario.js';
import { printFrame } from '../../src/wire/print.js';

const TYPE_IPV4 = 0x0800;
const TYPE_IPV6 = 0x86dd;
const ICMP = 1;
const IGMP = 2;
const IPIP = 4;
const TCP = 6;
const UDP = 17;
const IPV6 = 41;
const FRAGMENT = 44;
const GRE = 47;
const ICMP6 = 58;
/** GUE ports of the test network. No other traffic uses them. */
const GUE_PORTS = [6080, 6081];
/** Last byte of the director's own addresses in the test network. */
const DIRECTOR_HOST = 254;
const EXPIRY = / (\d\d+):(\d\d) /;

/** The masks of free fields. Their names are for the README and for messages about a mismatch. */
type Mask = (frame: Buffer) => void;
const masks: Readonly<Record<string, Mask>> = {
  'IP id of an ICMP error that the director makes': (f) => {
    if (isIpv4(f) && f[23] === ICMP && f[22] === 64) blankId(f);
  },
  'flow label of an ICMPv6 error': (f) => {
    if (isIpv6(f) && f[20] === ICMP6) blank(f, 15, 3);
  },
  'IP id of an outer header without DF': (f) => {
    if (isIpv4(f) && isOuter(f) && (f[20]! & 0x40) === 0) blankId(f);
  },
  'flow label of an outer header': (f) => {
    if (isIpv6(f) && [IPIP, IPV6, GRE].includes(f[20]!)) blank(f, 15, 3);
  },
  'source port of GUE, and its checksum': (f) => {
    const udp = isIpv6(f) ? 54 : 34;
    const protocol = isIpv6(f) ? f[20] : f[23];
    if (protocol !== UDP || f.length < udp + 8 || !GUE_PORTS.includes(f.readUInt16BE(udp + 2))) return;
    blank(f, udp, 2);
    if (f.readUInt16BE(udp + 6) !== 0) blank(f, udp + 6, 2);
  },
  'id, source port and checksums of a synchronisation message; the source of IPv6': (f) => {
    if (isIpv4(f) && f[23] === UDP && f[0] === 1) {
      blankId(f);
      blank(f, 34, 2);
      blank(f, 40, 2);
    } else if (isIpv6(f) && f[20] === UDP && f[0] === 0x33) {
      blank(f, 15, 3);
      blank(f, 22, 16);
      blank(f, 54, 2);
      blank(f, 60, 2);
    }
  },
  'id of an IPv6 fragment': (f) => {
    if (isIpv6(f) && f[20] === FRAGMENT) blank(f, 58, 4);
  },
};

function isIpv4(f: Buffer): boolean {
  return f.length >= 34 && f.readUInt16BE(12) === TYPE_IPV4;
}
function isIpv6(f: Buffer): boolean {
  return f.length >= 54 && f.readUInt16BE(12) === TYPE_IPV6;
}
function isOuter(f: Buffer): boolean {
  if ([IPIP, IPV6, GRE].includes(f[23]!)) return true;
  if (f[23] !== UDP) return false;
  // A later fragment of GUE has no ports. The director's own address sends no other fragments.
  if ((f.readUInt16BE(20) & 0x1fff) !== 0) return f[29] === DIRECTOR_HOST;
  return f.length >= 42 && GUE_PORTS.includes(f.readUInt16BE(36));
}
/** Masks the id of an IPv4 header and the header checksum, which depends on the id. */
function blankId(f: Buffer): void {
  blank(f, 18, 2);
  blank(f, 24, 2);
}
function blank(f: Buffer, at: number, n: number): void {
  f.fill(0, at, at + n);
}

/**
 * True for frames of the host's own stack: ARP, ND, multicast reports, and RSTs and echo replies of
 * its own (TTL 64).
 */
function isHosts(f: Buffer): boolean {
  if (isIpv4(f)) {
    const l4 = 14 + (f[14]! & 15) * 4;
    if (f[23] === IGMP) return true;
    return f[22] === 64 && ((f[23] === TCP && (f[l4 + 13]! & 4) !== 0) || (f[23] === ICMP && f[l4] === 0));
  }
  if (!isIpv6(f)) return true;
  if (f[0] === 0x33) return f[20] !== UDP;
  if (f[20] === FRAGMENT) return f[21] === 64 && f[54] === ICMP6;
  if (f[20] === TCP) return f[21] === 64 && (f[54 + 13]! & 4) !== 0;
  return f[20] === ICMP6 && f[54]! >= 128;
}

interface Line {
  readonly text: string;
  readonly shown: string;
}

/**
 * Rows as comparable lines. A frame gives its cause, its device and its masked bytes. A command
 * gives its output without expiry times; a listing of connections is sorted.
 */
function linesOf(rows: readonly Row[]): Line[] {
  return rows.flatMap((row): Line[] => {
    if ('hex' in row) {
      const frame = Buffer.from(row.hex, 'hex');
      if (isHosts(frame)) return [];
      for (const mask of Object.values(masks)) mask(frame);
      const place = `#${row.after} ${row.if}`;
      return [{ text: `${place} ${frame.toString('hex')}`, shown: `${place} ${printFrame(frame)}` }];
    }
    if (!('cmd' in row) || !/(^|\| *)ipvsadm/.test(row.cmd)) return [];
    const lines = row.out.replaceAll(new RegExp(EXPIRY, 'g'), ' --:-- ').split('\n');
    const out = / -L?n?c|connection/.test(row.cmd) || row.cmd.includes('sort') ? lines.sort() : lines;
    const head = `#${row.after} $ ${row.cmd} -> ${row.rc}`;
    return [{ text: `${head}\n${out.join('\n')}`, shown: `${head}\n${out.join('\n')}` }];
  });
}

/**
 * Sorts the rows by cause and device. Frames of one device keep their order. The order of frames of
 * different devices with the same cause is free.
 */
function ordered(rows: readonly Row[]): Line[] {
  const key = (row: Row): string => `${String(row.after).padStart(6)} ${'if' in row ? row.if : '~'}`;
  return linesOf(
    [...rows]
      .map((row, i) => ({ row, i }))
      .sort((a, b) => compareText(key(a.row), key(b.row)) || a.i - b.i)
      .map(({ row }) => row),
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The differences as messages; empty when there are none. */
export function compare(ours: readonly Row[], kernel: readonly Row[]): string[] {
  const [mine, theirs] = [ordered(ours), ordered(kernel)];
  const wrong: string[] = [];
  for (let i = 0; i < Math.max(mine.length, theirs.length); i++) {
    if (mine[i]?.text === theirs[i]?.text) continue;
    wrong.push(
      `kernel ${theirs[i]?.shown ?? 'nothing more'}\n  ulvs ${mine[i]?.shown ?? 'nothing more'}\n${bytes(theirs[i], mine[i])}`,
    );
    if (wrong.length === 3) break;
  }
  return [...wrong, ...lateOrEarly(ours, kernel)];
}

function bytes(a: Line | undefined, b: Line | undefined): string {
  return a !== undefined && b !== undefined && a.shown === b.shown ? `       ${a.text}\n       ${b.text}` : '';
}

/**
 * Compares expiry times in seconds. They may differ by one second. The kernel may be later than
 * ulvs by the step of its timer wheel.
 */
function lateOrEarly(ours: readonly Row[], kernel: readonly Row[]): string[] {
  const mine = expiries(ours);
  return [...expiries(kernel)].flatMap(([line, seconds]) => {
    const own = mine.get(line);
    if (own === undefined) return [];
    return isNear(own, seconds) ? [] : [`expires: kernel ${seconds} s, ulvs ${own} s: ${line}`];
  });
}

/**
 * The kernel's wheel ends a timer late by up to one step. When a timer is postponed, that delay
 * stays.
 */
function isNear(own: number, kernel: number): boolean {
  const late = kernel > 131 ? 16 : 2;
  return kernel - own >= -1 && kernel - own <= late;
}

function expiries(rows: readonly Row[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const row of rows)
    for (const line of 'cmd' in row ? row.out.split('\n') : []) {
      const [, minutes, seconds] = EXPIRY.exec(line) ?? [];
      if (minutes !== undefined)
        found.set(`#${row.after} ${line.replace(EXPIRY, ' ')}`, Number(minutes) * 60 + Number(seconds));
    }
  return found;
}
