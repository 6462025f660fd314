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
import { checkEnd, DIRECT, IP, PLACES, Stack } from './frame.js';
import { type FlowMapFds, Hop } from './layout.js';
import { rewrite } from './rewrite.js';
import { tunnel } from './tunnel.js';
import { type Clock, count, inForce, nextHop } from './use-line.js';

/** How the program of a device uses a flow table. */
export interface FlowUse {
  readonly fds: FlowMapFds;
  /** Frames may have partial checksums. */
  readonly completes: boolean;
  readonly clock?: Clock;
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
  if (family === 4) header4(asm, DIRECT, miss);
  else header6(asm, DIRECT, miss);
  transport(asm, DIRECT, places, miss);
  findLine(asm, fds, places, miss);
  inForce(asm, fds, clock, miss);
  if (completes) completeSum(asm, places, miss);
  nextHop(asm, family, miss);
  const [send, tunnelled] = [`flowSend${family}`, `flowTunnel${family}`];
  asm.load(32, 'r1', 'r0', 4 * Hop.tunnel).jumpIf('r1', '!=', 0, tunnelled);
  count(asm, fds, `Plain${family}`);
  rewrite(asm, places);
  asm.label(send).load(32, 'r2', 'r10', Stack.device);
  asm.map('r1', fds.devices).mov('r3', XDP_DROP).call(Call.redirectMap).exit().label(tunnelled);
  tunnel(asm, fds, places, { miss, send }, (name) => count(asm, fds, `${name}of${family}`));
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
