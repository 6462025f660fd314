/**
 * Template for SIP over UDP, like the one of traffic.ts. Each flow is a dialogue with its own
 * Call-ID. The UDP checksum is 0 (none).
 */
import { parse4, parseMac } from '../../src/wire/address.js';
import { adjust, sum32 } from '../../src/wire/checksum.js';
import * as ethernet from '../../src/wire/ethernet.js';
import * as ipv4 from '../../src/wire/ipv4.js';
import * as udp from '../../src/wire/udp.js';
import type { End } from './traffic.js';

const DIGITS = 8;
const HEAD = 'INVITE sip:bob@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 11.0.0.1\r\nCall-ID: ';
const TEXT = `${HEAD}${'0'.repeat(DIGITS)}@11.0.0.1\r\nContent-Length: 0\r\n\r\n`;
const PORT = 5060;
/** Number of clients. The dialogues are spread over them. */
const CLIENTS = 1000;
const FIRST_CLIENT = 0x0b000000;

export class DialogueTemplate {
  readonly length: number;
  private readonly bytes: Uint8Array;
  private readonly addressAt: number;
  private readonly digitsAt = ethernet.HEADER + ipv4.HEADER + udp.HEADER + HEAD.length;

  /**
   * A request to the service at `end`. With `reply`, a packet from the destination at `end` to the
   * client.
   */
  constructor(reply: boolean, { address, port }: End, toMac: string) {
    const other = parse4(address)!;
    const [src, dst] = reply ? [other, FIRST_CLIENT] : [FIRST_CLIENT, other];
    const [sport, dport] = reply ? [port, PORT] : [PORT, port];
    const payload = udp.encode({ sport, dport, payload: Buffer.from(TEXT) }, 0);
    new DataView(payload.buffer, payload.byteOffset).setUint16(6, 0);
    const packet = ipv4.encode({ src, dst, protocol: ipv4.UDP, dontFragment: true, payload });
    const macs = { dst: parseMac(toMac)!, src: parseMac('02:00:00:00:c0:01')! };
    this.bytes = ethernet.encode({ ...macs, type: ethernet.TYPE_IPV4, payload: packet });
    this.length = this.bytes.length;
    this.addressAt = ethernet.HEADER + (reply ? ipv4.DST : ipv4.SRC);
  }

  /** Writes the frame of `flow` to offset `at` of the Umem. */
  put(u8: Uint8Array, view: DataView, at: number, flow: number): void {
    u8.set(this.bytes, at);
    const client = flow % CLIENTS;
    view.setInt32(at + this.addressAt, FIRST_CLIENT + client);
    const sumAt = at + ethernet.HEADER + 10;
    view.setUint16(sumAt, adjust(view.getUint16(sumAt), sum32(client)));
    for (let i = 0, rest = flow; i < DIGITS; i++, rest >>>= 4) u8[at + this.digitsAt + i] = 0x61 + (rest & 15);
  }
}
