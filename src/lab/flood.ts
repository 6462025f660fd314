/**
 * A flood of TCP SYNs out of one interface, made by the kernel: an XDP program writes each frame anew and sends it, and
 * BPF_PROG_TEST_RUN runs it on live frames, 64 at a time. 1 to 2 million a second on one core.
 *
 * Client addresses and ports are random; so that no checksum has to be computed, every random word has its complement
 * elsewhere in what the checksum covers: the port in the sequence number, the address in the IP id and the sequence number.
 * A part of the frames is dropped at random instead of sent: that paces the flood evenly.
 */

import { Assembler } from '../device/xdp/assembler.js';
import { loadXdp, runXdpLive } from '../sys/bpf.js';
import { close, ifNameToIndex } from '../sys/libc.js';
import { bytes4, bytesMac, parse4, parseMac } from '../wire/address.js';
import { finish, pseudo4, sum } from '../wire/checksum.js';
import * as ethernet from '../wire/ethernet.js';
import * as ipv4 from '../wire/ipv4.js';

export interface FloodOptions {
  /** Out of which interface. Its peer must take XDP frames: a veth needs GRO on (or an XDP program) there. */
  readonly device: string;
  readonly srcMac: string;
  readonly dstMac: string;
  /** The upper 16 bits are of all clients. */
  readonly client: string;
  /** A power of two, up to 65,536; each has as many ports. */
  readonly clients: number;
  readonly vip: string;
  readonly port: number;
  /** How many of 256 frames are sent. */
  readonly share: number;
  /** No more than this many of a client's ports, a power of two; for floods of known flows. */
  readonly ports: number;
}

const PRANDOM = 7;
const XDP_DROP = 1;
const XDP_TX = 3;
const LENGTH = 54;
const CHUNK = 1 << 15;
/** Offsets in the frame. */
const ID = 18;
const CLIENT_LOW = 28;
const SPORT = 34;
const SEQUENCE = 38;
const TCP_CHECKSUM = 50;

export class Flood {
  private readonly program: number;
  private readonly frame: Uint8Array;
  private readonly ifindex: number;

  /** Throws SystemError. */
  constructor({ device, clients, ports, share, ...frame }: FloodOptions) {
    this.ifindex = ifNameToIndex(device);
    this.frame = template(frame);
    this.program = loadXdp(program(this.frame, clients, ports, share));
  }

  /** Sends until `ms` are over; returns how many frames were sent or, by its share, not sent. */
  run(ms: number): number {
    let tried = 0;
    for (const end = performance.now() + ms; performance.now() < end; tried += CHUNK) this.burst(CHUNK);
    return tried;
  }

  /** So many frames, sent or not, as fast as can be. */
  burst(frames: number): void {
    runXdpLive(this.program, this.frame, this.ifindex, frames);
  }

  close(): void {
    close(this.program);
  }
}

type Ends = Pick<FloodOptions, 'srcMac' | 'dstMac' | 'client' | 'vip' | 'port'>;

/** The frame with all random fields 0 and their complements 0xffff. */
function template({ srcMac, dstMac, client, vip, port }: Ends): Uint8Array {
  const frame = new Uint8Array(LENGTH);
  const view = new DataView(frame.buffer);
  frame.set(bytesMac(parseMac(dstMac)!));
  frame.set(bytesMac(parseMac(srcMac)!), 6);
  view.setUint16(12, ethernet.TYPE_IPV4);
  frame.set([0x45, 0, 0, 40, 0xff, 0xff, 0x40, 0, 64, ipv4.TCP], 14);
  frame.set(bytes4(parse4(client)! & 0xffff0000), 26);
  frame.set(bytes4(parse4(vip)!), 30);
  view.setUint16(36, port);
  view.setInt32(SEQUENCE, -1);
  frame.set([0x50, 2, 0x20, 0], 46);
  ipv4.fillChecksum(view, 14);
  const pseudo = pseudo4(view.getInt32(26), view.getInt32(30), ipv4.TCP, 20);
  view.setUint16(TCP_CHECKSUM, finish(sum(view, SPORT, 20, pseudo)));
  return frame;
}

/** Recycled frames come back as the receiver left them, so every byte is written each time. */
function program(frame: Uint8Array, clients: number, ports: number, share: number): Uint8Array {
  const asm = new Assembler().mov('r6', 'r1').call(PRANDOM).mov('r7', 'r0').and('r0', 255);
  asm.jumpIf('r0', '>=', share, 'drop').call(PRANDOM).mov('r8', 'r0').mov('r9', 'r7').rsh('r9', 8);
  asm.load(32, 'r2', 'r6', 0).load(32, 'r3', 'r6', 4).mov('r4', 'r2').add('r4', LENGTH).jumpIf('r4', '>', 'r3', 'drop');
  const view = new DataView(frame.buffer);
  for (let at = 0; at + 4 <= LENGTH; at += 4) asm.store(32, 'r2', at, view.getInt32(at, true));
  asm.store(16, 'r2', LENGTH - 2, view.getInt16(LENGTH - 2, true));
  asm
    .and('r8', clients - 1)
    .store(16, 'r2', CLIENT_LOW, 'r8')
    .xor('r8', -1);
  asm.store(16, 'r2', ID, 'r8').store(16, 'r2', SEQUENCE, 'r8');
  asm
    .and('r9', ports - 1)
    .store(16, 'r2', SPORT, 'r9')
    .xor('r9', -1)
    .store(16, 'r2', SEQUENCE + 2, 'r9');
  return asm.mov('r0', XDP_TX).exit().label('drop').mov('r0', XDP_DROP).exit().assemble();
}
