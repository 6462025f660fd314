/**
 * The frame of a flood: 58 bytes, padded to 60 on the wire. The fields that differ from frame to
 * frame are still open:
 *
 *     14  IPv4: id = ~client   source = the clients' network | client    destination = the VIP
 *     34  port | dport | TCP: ~client ~port  stamp 4  off flags window checksum urgent   | ~stamp 4
 *                      | UDP: length checksum stamp 4  ~client ~port  0 0 0 0            | ~stamp 4
 *
 * Replies have the server's address and port in the place of the client's, and the other way round.
 * Each open word has its complement elsewhere in the range of the checksum, so no checksum has to
 * be computed per frame.
 */
import { bytes4, bytesMac, parse4, parseMac } from '../../wire/address.js';
import { finish, pseudo4, sum } from '../../wire/checksum.js';
import * as ethernet from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import { ACK, SYN } from '../../wire/tcp.js';

/**
 * The kind of a flood; `established` is TCP segments of connections that were opened before, and
 * `replies` is those that a realserver sends to its clients.
 */
export type Kind = 'syn' | 'established' | 'udp' | 'replies';
/** The kinds that clients send. */
export const KINDS: readonly Kind[] = ['syn', 'established', 'udp'];

export interface Target {
  readonly srcMac: string;
  readonly dstMac: string;
  /** The address of the service; of replies the realserver's. */
  readonly vip: string;
  readonly port: number;
}

/** The clients' network 198.18.0.0/16, reserved for benchmarks (RFC 2544). */
export const CLIENTS = 0xc612_0000;
export const LENGTH = 58;
/** Offsets in the frame, in bytes. */
export const ID = 18;
export const PROTOCOL = 23;
export const SOURCE = 26;
export const SPORT = 34;
export const STAMP = 42;
export const STAMP_COMPLEMENT = 54;
const DPORT = 36;
const L4 = 34;
const TCP_CHECKSUM = 50;
const UDP_CHECKSUM = 40;

/** The offsets of client and port. */
export function clientAt(kind: Kind): { readonly address: number; readonly port: number } {
  return kind === 'replies' ? { address: SOURCE + 4, port: DPORT } : { address: SOURCE, port: SPORT };
}

function serverAt(kind: Kind): { readonly address: number; readonly port: number } {
  return kind === 'replies' ? { address: SOURCE, port: SPORT } : { address: SOURCE + 4, port: DPORT };
}

/** The offset of ~client; ~port follows it. */
export function complementAt(kind: Kind): number {
  return kind === 'udp' ? 46 : 38;
}

/**
 * The frame with all open words 0 and their complements 0xffff. With `opening`, the frame that
 * opens a connection of this kind.
 */
export function template(kind: Kind, { srcMac, dstMac, vip, port }: Target, opening: boolean): Uint8Array {
  const frame = new Uint8Array(LENGTH);
  const view = new DataView(frame.buffer);
  frame.set(bytesMac(parseMac(dstMac)!));
  frame.set(bytesMac(parseMac(srcMac)!), 6);
  view.setUint16(12, ethernet.TYPE_IPV4);
  frame.set([0x45, 0, 0, LENGTH - 14, 0xff, 0xff, 0x40, 0, 64, kind === 'udp' ? ipv4.UDP : ipv4.TCP], 14);
  const server = serverAt(kind);
  view.setUint32(clientAt(kind).address, CLIENTS);
  frame.set(bytes4(parse4(vip)!), server.address);
  view.setUint16(server.port, port);
  view.setInt32(complementAt(kind), -1);
  view.setInt32(STAMP_COMPLEMENT, -1);
  if (kind === 'udp') view.setUint16(38, LENGTH - L4);
  else frame.set([0x50, kind === 'syn' || (opening && kind !== 'replies') ? SYN : ACK, 0x20, 0], 46);
  fillChecksums(view);
  return frame;
}

function fillChecksums(view: DataView): void {
  ipv4.fillChecksum(view, 14);
  const protocol = view.getUint8(PROTOCOL);
  const pseudo = pseudo4(view.getInt32(SOURCE), view.getInt32(SOURCE + 4), protocol, LENGTH - L4);
  const at = protocol === ipv4.UDP ? UDP_CHECKSUM : TCP_CHECKSUM;
  view.setUint16(at, finish(sum(view, L4, LENGTH - L4, pseudo)) || 0xffff);
}
