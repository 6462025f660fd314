/**
 * Instructions about a line that was found, the same for frames and for skbs: may it be used, does
 * its next hop take the packet, and count the packet.
 */
import { type Assembler, Call } from '../bpf/assembler.js';
import { look, Stack } from './frame.js';
import {
  BYTES,
  Control,
  CPU_SHIFT,
  CPUS,
  type FlowMapFds,
  GENERATION,
  Hop,
  PACKETS,
  PADDINGS,
  SEEN,
  SEEN_SHIFT,
} from './layout.js';

/** The time is the kernel's, or the clock word, which a test moves. */
export type Clock = 'kernel' | 'word';

/** The line in r9 is in force, offload is on, the director was alive lately. Writes the time. */
export function inForce(asm: Assembler, fds: FlowMapFds, clock: Clock, miss: string): void {
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

/**
 * r0: the row of the next hop, which takes the packet; the stack: the device. `longest`: where the
 * stack has the length of the longest packet.
 */
export function nextHop(asm: Assembler, family: 4 | 6, miss: string, longest: number = Stack.total): void {
  const used = `flowUsed${family}`;
  asm
    .load(64, 'r0', 'r10', Stack.row)
    .load(16, 'r1', 'r0', 4 * Hop.deviceMtu + 2)
    .load(32, 'r4', 'r10', longest)
    .jumpIf('r4', '>', 'r1', miss);
  asm.load(16, 'r1', 'r0', 4 * Hop.deviceMtu).store(32, 'r10', Stack.device, 'r1');
  asm.load(32, 'r1', 'r0', 4 * Hop.used).jumpIf('r1', '!=', 0, used);
  asm.store(32, 'r0', 4 * Hop.used, 1).label(used);
}

/** One packet of the length on the stack. */
function onePacket(asm: Assembler): Assembler {
  return asm.load(32, 'r4', 'r10', Stack.total).mov('r1', 1);
}

/**
 * Atomic: two queues may have packets of one connection. `sizes`: instructions that set r1 to the
 * number of packets, r4 to their bytes. r0 is the row of the next hop then.
 */
export function count(
  asm: Assembler,
  { control }: FlowMapFds,
  name: string,
  sizes: (asm: Assembler) => Assembler = onePacket,
): void {
  const done = `flowCounted${name}`;
  sizes(asm)
    .addTo32('r9', 4 * PACKETS, 'r1')
    .addTo('r9', 4 * BYTES, 'r4');
  asm.load(32, 'r1', 'r10', Stack.time).store(32, 'r9', 4 * SEEN, 'r1');
  asm.load(32, 'r1', 'r10', Stack.extra).jumpIf('r1', '==', 0, done);
  asm.call(Call.cpu).store(32, 'r10', Stack.cpu, 'r0');
  look(asm.store(32, 'r10', Stack.index, 0), control, Stack.index, done);
  asm
    .load(32, 'r1', 'r10', Stack.cpu)
    .and('r1', CPUS - 1)
    .lsh('r1', CPU_SHIFT + 2)
    .add('r0', 'r1')
    .load(32, 'r1', 'r10', Stack.extra)
    .addTo32('r0', 4 * PADDINGS, 'r1');
  asm.label(done).load(64, 'r0', 'r10', Stack.row);
}
