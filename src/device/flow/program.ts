/**
 * The part of the XDP program that forwards packets of established connections by the flow table
 * (layout.ts). It comes before the intercept rules; what it does not forward falls through to them
 * unchanged, but for a completed checksum.
 *
 *     IPv4 or IPv6; no option, extension header or fragment; TTL > 1; length and checksum right
 *       TCP with ACK and none of SYN, FIN, RST, or UDP with a checksum          find-line.ts
 *         line of the packet, in force; offload is on; the director was alive lately
 *           complete a partial checksum ─► next hop: the packet fits its MTU    complete-sum.ts
 *             count ─► rewrite, or the headers of a tunnel ─► redirect          rewrite.ts, tunnel.ts
 */
import { XDP_DROP } from '../../sys/bpf.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { completeSum } from './complete-sum.js';
import { findLine, header4, header6, transport } from './find-line.js';
import { checkEnd, IP, look, PLACES, Stack } from './frame.js';
import {
  BYTES,
  Control,
  type FlowMapFds,
  GENERATION,
  Hop,
  PACKETS,
  PADDING,
  PROTOCOL_HOP,
  SEEN,
  SEEN_SHIFT,
} from './layout.js';
import { rewrite } from './rewrite.js';
import { tunnel } from './tunnel.js';

/** How the program of a device uses a flow table. */
export interface FlowUse {
  readonly fds: FlowMapFds;
  /** Frames may have partial checksums. */
  readonly completes: boolean;
  /** The time is the clock word, which a test moves, not the kernel's. */
  readonly clock?: 'kernel' | 'word';
}

/**
 * Adds the instructions for packets of a family. Needs r6: the context, r7: the frame, for this MAC
 * address and of the type of the family, r8: its end. What is not forwarded goes on behind them,
 * with r6 to r8 as they were; `pass` is for a frame below 34 bytes, which there is not.
 */
export function flowInstructions(asm: Assembler, use: FlowUse, family: 4 | 6, pass: string): void {
  const { fds, completes, clock = 'kernel' } = use;
  const miss = `flowMiss${family}`;
  const places = PLACES[family];
  if (family === 4) header4(asm, miss);
  else header6(asm, miss);
  transport(asm, places, miss);
  findLine(asm, fds, places, miss);
  inForce(asm, fds, clock, miss);
  if (completes) completeSum(asm, places, miss);
  nextHop(asm, fds, family, miss);
  const [send, tunnelled] = [`flowSend${family}`, `flowTunnel${family}`];
  asm.load(32, 'r1', 'r0', 4 * Hop.tunnel).jumpIf('r1', '!=', 0, tunnelled);
  count(asm, `Plain${family}`);
  rewrite(asm, places);
  asm.label(send).load(32, 'r2', 'r10', Stack.device);
  asm.map('r1', fds.devices).mov('r3', XDP_DROP).call(Call.redirectMap).exit().label(tunnelled);
  tunnel(asm, places, { miss, send }, (name) => count(asm, `${name}of${family}`));
  goOn(asm.label(miss), pass);
}

/**
 * All misses go on with the same knowledge of the frame: otherwise the verifier would examine what
 * follows once for each of them.
 */
function goOn(asm: Assembler, pass: string): void {
  asm.load(32, 'r7', 'r6', 0).load(32, 'r8', 'r6', 4);
  checkEnd(asm, IP + 20, pass);
}

/** The line is in force, offload is on, and the director was alive lately. Writes the time. */
function inForce(asm: Assembler, fds: FlowMapFds, clock: 'kernel' | 'word', miss: string): void {
  asm.store(32, 'r10', Stack.index, 0);
  look(asm, fds.control, Stack.index, miss);
  asm.load(32, 'r1', 'r9', 4 * GENERATION).load(32, 'r2', 'r0', 4 * Control.generation);
  asm.jumpIf('r1', '==', 0, miss).jumpIf('r1', '!=', 'r2', miss);
  asm.load(32, 'r1', 'r0', 4 * Control.off).jumpIf('r1', '!=', 0, miss);
  asm.load(32, 'r1', 'r0', 4 * Control.aliveUntil);
  if (clock === 'word') asm.load(32, 'r0', 'r0', 4 * Control.clock).store(32, 'r10', Stack.time, 'r0');
  else {
    asm
      .store(32, 'r10', Stack.index, 'r1')
      .call(Call.ktimeCoarse)
      .rsh('r0', SEEN_SHIFT)
      .store(32, 'r10', Stack.time, 'r0');
    asm.load(32, 'r1', 'r10', Stack.index);
  }
  // The sign of a difference of 32 bits.
  asm.sub('r1', 'r0').lsh('r1', 32).rsh('r1', 63).jumpIf('r1', '!=', 0, miss);
}

/** r0: the row of the next hop, which takes the packet; the stack: the device. */
function nextHop(asm: Assembler, fds: FlowMapFds, family: 4 | 6, miss: string): void {
  const used = `flowUsed${family}`;
  asm.load(16, 'r1', 'r9', 4 * PROTOCOL_HOP + 2).store(32, 'r10', Stack.hop, 'r1');
  look(asm, fds.hops, Stack.hop, miss);
  asm
    .load(16, 'r1', 'r0', 4 * Hop.deviceMtu + 2)
    .load(32, 'r4', 'r10', Stack.total)
    .jumpIf('r4', '>', 'r1', miss);
  asm.load(16, 'r1', 'r0', 4 * Hop.deviceMtu).store(32, 'r10', Stack.device, 'r1');
  asm.load(32, 'r1', 'r0', 4 * Hop.used).jumpIf('r1', '!=', 0, used);
  asm.store(32, 'r0', 4 * Hop.used, 1).label(used);
}

/** Atomic: two queues may have packets of one connection. */
function count(asm: Assembler, name: string): void {
  const done = `flowCounted${name}`;
  asm
    .load(32, 'r4', 'r10', Stack.total)
    .mov('r1', 1)
    .addTo('r9', 4 * PACKETS, 'r1')
    .addTo('r9', 4 * BYTES, 'r4');
  asm.load(32, 'r1', 'r10', Stack.time).store(32, 'r9', 4 * SEEN, 'r1');
  asm
    .load(32, 'r1', 'r10', Stack.extra)
    .jumpIf('r1', '==', 0, done)
    .addTo32('r9', 4 * PADDING, 'r1')
    .label(done);
}
