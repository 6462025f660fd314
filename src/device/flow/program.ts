/**
 * The part of the XDP program that forwards packets of established connections by the flow table
 * (layout.ts). It comes before the intercept rules; what it does not forward falls through to them
 * unchanged, but for a completed checksum.
 *
 *     IPv4, no option, no fragment, TTL > 1, length and header checksum right
 *       TCP with ACK and none of SYN, FIN, RST, or UDP with a checksum
 *         line of the packet, in force; offload is on; the director was alive lately
 *           complete a partial checksum ─► next hop: the packet fits its MTU
 *             count ─► rewrite: MACs, addresses, ports, TTL, both sums ─► redirect
 *
 * Rewriting has no branches: NAT in, NAT out and direct routing are the same instructions. Words
 * and sums that do not change are written as they are: a delta of 0 leaves a sum alone.
 */
import { XDP_DROP } from '../../sys/bpf.js';
import { TCP, UDP } from '../../wire/ipv4.js';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { completeSum } from './complete-sum.js';
import { checkEnd, IP, L4, Stack, SUM, wire16 } from './frame.js';
import { hashInstructions } from './hash.js';
import {
  BYTES,
  Control,
  DELTAS,
  type FlowMapFds,
  GENERATION,
  Hop,
  NEW_PORTS,
  NEW_SADDR,
  PACKETS,
  PADDING,
  PORTS,
  PROTOCOL_HOP,
  SADDR,
  SEEN,
  SEEN_SHIFT,
  WAYS,
} from './layout.js';

/** How the program of a device uses a flow table. */
export interface FlowUse {
  readonly fds: FlowMapFds;
  /** Frames may have partial checksums. */
  readonly completes: boolean;
  /** The time is the clock word, which a test moves, not the kernel's. */
  readonly clock?: 'kernel' | 'word';
}

const LINE = 64;

/**
 * Adds the instructions. Needs r6: the context, r7: the frame, for this MAC address and of the type
 * IPv4, r8: its end. Jumps to `miss` for what is not forwarded, with r6 to r8 as they were.
 */
export function flowInstructions(asm: Assembler, { fds, completes, clock = 'kernel' }: FlowUse, miss: string): void {
  header(asm, miss);
  transport(asm, miss);
  findLine(asm, fds, miss);
  inForce(asm, fds, clock, miss);
  if (completes) completeSum(asm, miss);
  nextHop(asm, fds, miss);
  count(asm);
  rewrite(asm);
  asm.map('r1', fds.devices).mov('r2', 'r6').mov('r3', XDP_DROP).call(Call.redirectMap).exit();
}

/** Checks the IPv4 header. r4 and the stack: length of the packet; stack: bytes behind it. */
function header(asm: Assembler, miss: string): void {
  checkEnd(asm, L4 + 8, miss);
  asm.load(8, 'r1', 'r7', IP).jumpIf('r1', '!=', 0x45, miss);
  asm
    .load(16, 'r1', 'r7', IP + 6)
    .and('r1', wire16(0x3fff))
    .jumpIf('r1', '!=', 0, miss);
  asm.load(8, 'r1', 'r7', IP + 8).jumpIf('r1', '<=', 1, miss);
  asm
    .load(16, 'r4', 'r7', IP + 2)
    .swap('r4', 16)
    .jumpIf('r4', '<', 28, miss)
    .store(32, 'r10', Stack.total, 'r4');
  asm.mov('r1', 'r8').sub('r1', 'r7').sub('r1', IP).jumpIf('r4', '>', 'r1', miss);
  asm.sub('r1', 'r4').store(32, 'r10', Stack.extra, 'r1');
  asm.load(32, 'r1', 'r7', IP);
  for (const at of [4, 8, 12, 16]) asm.load(32, 'r2', 'r7', IP + at).add('r1', 'r2');
  asm.mov('r2', 'r1').rsh('r2', 32).lsh('r1', 32).rsh('r1', 32).add('r1', 'r2');
  for (let i = 0; i < 2; i++) asm.mov('r2', 'r1').rsh('r2', 16).and('r1', 0xffff).add('r1', 'r2');
  asm.jumpIf('r1', '!=', 0xffff, miss);
}

/** Checks the transport header. r4: as `header` leaves it; r5: the protocol. */
function transport(asm: Assembler, miss: string): void {
  asm
    .load(8, 'r5', 'r7', IP + 9)
    .jumpIf('r5', '==', UDP, 'flowUdp')
    .jumpIf('r5', '!=', TCP, miss);
  asm.jumpIf('r4', '<', 40, miss);
  checkEnd(asm, L4 + 20, miss);
  asm
    .load(8, 'r1', 'r7', L4 + 13)
    .and('r1', SYN | FIN | RST | ACK)
    .jumpIf('r1', '!=', ACK, miss);
  asm.jump('flowKey').label('flowUdp').load(16, 'r1', 'r7', SUM.udp).jumpIf('r1', '==', 0, miss).label('flowKey');
}

/** r9: the line of the packet. */
function findLine(asm: Assembler, fds: FlowMapFds, miss: string): void {
  asm
    .load(32, 'r1', 'r7', IP + 12)
    .load(32, 'r2', 'r7', IP + 16)
    .load(32, 'r3', 'r7', L4);
  hashInstructions(asm, fds.secret)
    .and('r1', 2 ** fds.bits - 1)
    .store(32, 'r10', Stack.index, 'r1');
  look(asm, fds.buckets, Stack.index, miss).mov('r9', 'r0');
  asm
    .load(64, 'r1', 'r7', IP + 12)
    .load(32, 'r2', 'r7', L4)
    .load(8, 'r5', 'r7', IP + 9);
  for (let way = 0; way < WAYS; way++) {
    const next = `flowNot${way}`;
    const at = way * LINE;
    asm.load(64, 'r3', 'r0', at + 4 * SADDR).jumpIf('r3', '!=', 'r1', next);
    asm.load(32, 'r3', 'r0', at + 4 * PORTS).jumpIf('r3', '!=', 'r2', next);
    asm.load(8, 'r3', 'r0', at + 4 * PROTOCOL_HOP).jumpIf('r3', '!=', 'r5', next);
    if (way > 0) asm.add('r9', at);
    asm.jump('flowFound').label(next);
  }
  asm.jump(miss).label('flowFound');
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

/** r0: the row of the next hop, which takes the packet; r6: the device. */
function nextHop(asm: Assembler, fds: FlowMapFds, miss: string): void {
  asm.load(16, 'r1', 'r9', 4 * PROTOCOL_HOP + 2).store(32, 'r10', Stack.hop, 'r1');
  look(asm, fds.hops, Stack.hop, miss);
  asm
    .load(16, 'r1', 'r0', 4 * Hop.deviceMtu + 2)
    .load(32, 'r4', 'r10', Stack.total)
    .jumpIf('r4', '>', 'r1', miss);
  asm.load(16, 'r6', 'r0', 4 * Hop.deviceMtu);
  asm.load(32, 'r1', 'r0', 4 * Hop.used).jumpIf('r1', '!=', 0, 'flowUsed');
  asm.store(32, 'r0', 4 * Hop.used, 1).label('flowUsed');
}

/** r4: length of the packet. Atomic: two queues may have packets of one connection. */
function count(asm: Assembler): void {
  asm
    .mov('r1', 1)
    .addTo('r9', 4 * PACKETS, 'r1')
    .addTo('r9', 4 * BYTES, 'r4');
  asm.load(32, 'r1', 'r10', Stack.extra).addTo32('r9', 4 * PADDING, 'r1');
  asm.load(32, 'r1', 'r10', Stack.time).store(32, 'r9', 4 * SEEN, 'r1');
}

function rewrite(asm: Assembler): void {
  asm.load(64, 'r1', 'r0', 4 * Hop.macs).store(64, 'r7', 0, 'r1');
  asm.load(32, 'r1', 'r0', 4 * Hop.macs + 8).store(32, 'r7', 8, 'r1');
  asm.load(64, 'r1', 'r9', 4 * NEW_SADDR).store(64, 'r7', IP + 12, 'r1');
  asm.load(32, 'r1', 'r9', 4 * NEW_PORTS).store(32, 'r7', L4, 'r1');
  asm
    .load(8, 'r1', 'r7', IP + 8)
    .sub('r1', 1)
    .store(8, 'r7', IP + 8, 'r1');
  asm.load(16, 'r1', 'r7', IP + 10).load(16, 'r2', 'r9', 4 * DELTAS);
  adjust(asm).store(16, 'r7', IP + 10, 'r1');
  asm
    .load(16, 'r2', 'r9', 4 * DELTAS + 2)
    .load(8, 'r5', 'r7', IP + 9)
    .jumpIf('r5', '==', UDP, 'flowUdpSum');
  checkEnd(asm, SUM.tcp + 2, 'flowRewritten');
  asm.load(16, 'r1', 'r7', SUM.tcp);
  adjust(asm).store(16, 'r7', SUM.tcp, 'r1').jump('flowRewritten');
  asm.label('flowUdpSum').load(16, 'r1', 'r7', SUM.udp);
  adjust(asm).jumpIf('r1', '!=', 0, 'flowSum').mov('r1', 0xffff).label('flowSum').store(16, 'r7', SUM.udp, 'r1');
  asm.label('flowRewritten');
}

/** Adds the delta in r2 to the checksum in r1 (RFC 1624). r3 is lost. */
function adjust(asm: Assembler): Assembler {
  asm.xor('r1', 0xffff).add('r1', 'r2').mov('r3', 'r1').rsh('r3', 16).and('r1', 0xffff).add('r1', 'r3');
  return asm.xor('r1', 0xffff);
}

/** r0: the value of an array at the index on the stack. */
function look(asm: Assembler, map: number, index: number, miss: string): Assembler {
  return asm.map('r1', map).mov('r2', 'r10').add('r2', index).call(Call.mapLookup).jumpIf('r0', '==', 0, miss);
}
