/**
 * The same traffic as in bench/reference/pipeline.c: TCP segments without payload. One end is a
 * client in 11.0.0.0/8 or 2001:db8:b::/48. The other end is a virtual service or one of its two
 * destinations. All checksums are right; in the C program the TCP checksum has a fixed value.
 */
import { format4, parse4, parse6, parseMac } from '../../src/wire/address.js';
import { adjust, sum32 } from '../../src/wire/checksum.js';
import * as ethernet from '../../src/wire/ethernet.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as ipv6 from '../../src/wire/ipv6.js';
import * as tcp from '../../src/wire/tcp.js';

export type Family = 4 | 6;

/** The end of a frame that is not the client: a VIP for requests, a destination for replies. */
export interface End {
  readonly address: string;
  readonly port: number;
}

/** The last address word of a flow's client. Flows below 2^24 have different clients. */
function clientWord(flow: number): number {
  return 0x0b000000 | (Math.imul(flow, 0x9e3779b1) & 0xffffff);
}
function clientPort(flow: number): number {
  return 1024 + (flow % 60000);
}

/** The IPv4 client of a flow. */
export function clientOf(flow: number): End {
  return { address: format4(clientWord(flow)), port: clientPort(flow) };
}

/** A template for frames to or from clients. `put` writes the frame of one flow. */
export class Template {
  readonly length: number;
  private readonly bytes: Uint8Array;
  private readonly l4: number;
  private readonly addressAt: number;
  private readonly portAt: number;
  /** Offset of the low half of the destination's address in a reply. */
  private readonly peerAt: number;

  constructor(
    private readonly family: Family,
    private readonly reply: boolean,
    end: End,
    flags: number,
    toMac: string,
  ) {
    const packet = family === 4 ? ip4(reply, end, flags) : ip6(reply, end, flags);
    const type = family === 4 ? ethernet.TYPE_IPV4 : ethernet.TYPE_IPV6;
    const src = parseMac('02:00:00:00:c0:01')!;
    this.bytes = ethernet.encode({ dst: parseMac(toMac)!, src, type, payload: packet });
    this.length = this.bytes.length;
    this.l4 = ethernet.HEADER + (family === 4 ? ipv4.HEADER : ipv6.HEADER);
    const { SRC, DST } = family === 4 ? ipv4 : ipv6;
    this.addressAt = ethernet.HEADER + (reply ? DST : SRC) + (family === 4 ? 0 : 8);
    this.portAt = this.l4 + (reply ? 2 : 0);
    this.peerAt = ethernet.HEADER + (family === 4 ? ipv4.SRC + 2 : ipv6.SRC + 14);
  }

  /** Writes the frame of `flow` to offset `at` of the Umem. */
  put(u8: Uint8Array, view: DataView, at: number, flow: number): void {
    u8.set(this.bytes, at);
    const word = clientWord(flow);
    const port = clientPort(flow);
    let delta = sum32(word);
    if (this.reply && (flow & 1) !== 0) {
      // Flows use the two destinations in turns. The second address is the first plus 1.
      view.setUint16(at + this.peerAt, view.getUint16(at + this.peerAt) + 1);
      delta++;
    }
    if (this.family === 6) {
      view.setInt32(at + this.addressAt, flow);
      view.setInt32(at + this.addressAt + 4, word);
      delta += sum32(flow);
    } else {
      view.setInt32(at + this.addressAt, word);
      const sumAt = at + ethernet.HEADER + 10;
      view.setUint16(sumAt, adjust(view.getUint16(sumAt), delta));
    }
    view.setUint16(at + this.portAt, port);
    tcp.fix(view, at + this.l4, delta + port);
  }
}

function ip4(reply: boolean, { address, port }: End, flags: number): Uint8Array {
  const other = parse4(address)!;
  const [src, dst, sport, dport] = reply ? [other, 0, port, 0] : [0, other, 0, port];
  const payload = tcp.encode({ sport, dport, flags }, sum32(src) + sum32(dst));
  return ipv4.encode({ src, dst, protocol: ipv4.TCP, dontFragment: true, payload });
}

function ip6(reply: boolean, { address, port }: End, flags: number): Uint8Array {
  const other = parse6(address)!;
  const client = Int32Array.of(0x20010db8, 0xb0000, 0, 0);
  const [src, dst, sport, dport] = reply ? [other, client, port, 0] : [client, other, 0, port];
  const addresses = [...src, ...dst].reduce((total, word) => total + sum32(word), 0);
  const payload = tcp.encode({ sport, dport, flags }, addresses);
  return ipv6.encode({ src, dst, nextHeader: ipv4.TCP, payload });
}

/** A pseudo-random order of flows. The C reference uses the same order. */
export class Order {
  private seed = 1;

  next(flows: number): number {
    let s = this.seed;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.seed = s;
    return (s >>> 0) % flows;
  }
}
