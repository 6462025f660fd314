/**
 * SYN cookies: the sequence number of a SYN,ACK from which the client's acknowledgement proves that
 * the client received it. Nothing is stored. As in net/ipv4/syncookies.c, a cookie carries an index
 * of the client's MSS and is valid for one to two periods of time.
 *
 *     31                                     3   2              1      0
 *     | SipHash-2-4 of the words, keyed (29) | period & 1 | MSS index |
 *
 *     words   addresses, ports, the client's sequence number, period << 2 | MSS index
 */
import { siphash } from '../../wire/siphash.js';
import type { PacketInfo } from '../parse/packet.js';

/** Length of a period, in ms. */
const PERIOD = 64_000;
/** What a cookie says of the client's MSS: the largest of these that is not above it. */
const MSS4 = [536, 1300, 1440, 1460];
const MSS6 = [1220, 1420, 1440, 8940];

export class Cookies {
  private readonly key = new Int32Array(4);
  private readonly words = new Int32Array(11);

  /** `secret`: three words (conntrack/table.ts). They outlive the process with the connections. */
  constructor(secret: Int32Array) {
    this.key.set(secret);
    this.key[3] = secret[0]! ^ ~secret[2]!;
  }

  /**
   * The cookie for the client of the current packet, a SYN with the sequence number `seq`. `mss`:
   * of its option, 0 without one. `now` in ms.
   */
  make(p: PacketInfo, seq: number, mss: number, now: number): number {
    return this.of(p, seq, indexOf(p.family, mss), periodOf(now));
  }

  /**
   * The MSS of the client whose SYN had the number `seq`, when `cookie` is the one that this client
   * got; 0 when it is not, or too old.
   */
  check(p: PacketInfo, seq: number, cookie: number, now: number): number {
    const index = cookie & 3;
    const newest = periodOf(now);
    const period = newest - ((newest ^ (cookie >> 2)) & 1);
    return this.of(p, seq, index, period) === cookie ? tableOf(p.family)[index]! : 0;
  }

  private of(p: PacketInfo, seq: number, index: number, period: number): number {
    const { words } = this;
    let n = this.fillAddresses(p);
    words[n++] = (p.sport << 16) | p.dport;
    words[n++] = seq;
    words[n++] = (period << 2) | index;
    return (siphash(words, n, this.key) & ~7) | ((period & 1) << 2) | index;
  }

  private fillAddresses({ family, src, dst, src6, dst6 }: PacketInfo): number {
    const { words } = this;
    if (family === 4) {
      words[0] = src;
      words[1] = dst;
      return 2;
    }
    for (let i = 0; i < 4; i++) {
      words[i] = src6[i]!;
      words[4 + i] = dst6[i]!;
    }
    return 8;
  }
}

function periodOf(now: number): number {
  return Math.floor(now / PERIOD) | 0;
}

function tableOf(family: number): readonly number[] {
  return family === 4 ? MSS4 : MSS6;
}

function indexOf(family: number, mss: number): number {
  const table = tableOf(family);
  let index = table.length - 1;
  while (index > 0 && table[index]! > mss) index--;
  return index;
}
