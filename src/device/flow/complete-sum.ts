/**
 * Instructions that complete a partial checksum (partial-checksum.ts), as senders on this machine
 * leave it: the field holds the sum of the pseudo header. A checksum that is right and has this
 * value by chance stays as it is.
 *
 *     field == sum of the pseudo header? ─► sum of all bytes, in pieces of 512 … 4, 2, 1 ─► field
 */
import { UDP } from '../../wire/ipv4.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { checkEnd, IP, L4, Stack, SUM } from './frame.js';

/** bpf_csum_diff takes lengths that the verifier knows, multiples of 4, 512 at most. */
const PIECES = [2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4];
const MOST_AT_ONCE = 512;
/** Bits of the longest segment or datagram that is completed. */
const LONGEST = 0xfff;

/**
 * Needs r7: the frame, r8: its end, Stack.total on the stack. Jumps to `miss` for a longer packet.
 */
export function completeSum(asm: Assembler, miss: string): void {
  pseudoSum(asm);
  asm.load(8, 'r5', 'r7', IP + 9).jumpIf('r5', '==', UDP, 'partialUdp');
  checkEnd(asm.mov('r4', 'r1'), SUM.tcp + 2, miss);
  asm
    .load(16, 'r2', 'r7', SUM.tcp)
    .jump('partialField')
    .label('partialUdp')
    .mov('r4', 'r1')
    .load(16, 'r2', 'r7', SUM.udp);
  asm.label('partialField').jumpIf('r4', '!=', 'r2', 'whole');
  asm
    .load(32, 'r1', 'r10', Stack.total)
    .sub('r1', 20)
    .jumpIf('r1', '>', LONGEST, miss)
    .store(32, 'r10', Stack.length, 'r1');
  asm.store(64, 'r10', Stack.sum, 0);
  for (const size of PIECES) addPiece(asm, size);
  addRest(asm);
  writeField(asm, miss);
  asm.label('whole');
}

/** r1: folded sum of the pseudo header. */
function pseudoSum(asm: Assembler): void {
  asm
    .load(32, 'r1', 'r7', IP + 12)
    .load(32, 'r2', 'r7', IP + 16)
    .add('r1', 'r2');
  asm.load(32, 'r2', 'r10', Stack.total).sub('r2', 20).swap('r2', 16).add('r1', 'r2');
  asm
    .load(8, 'r2', 'r7', IP + 9)
    .lsh('r2', 8)
    .add('r1', 'r2');
  fold(asm);
}

/** Folds r1 to 16 bits. r2 is lost. */
function fold(asm: Assembler): void {
  asm.mov('r2', 'r1').rsh('r2', 32).lsh('r1', 32).rsh('r1', 32).add('r1', 'r2');
  for (let i = 0; i < 3; i++) asm.mov('r2', 'r1').rsh('r2', 16).and('r1', 0xffff).add('r1', 'r2');
}

/** r3: the bytes that come after all larger pieces; jumps when `size` of them are not there. */
function pieceAt(asm: Assembler, size: number, short: string): void {
  asm
    .and('r1', LONGEST & ~(2 * size - 1))
    .mov('r3', 'r7')
    .add('r3', 'r1')
    .add('r3', L4);
  asm.mov('r1', 'r3').add('r1', size).jumpIf('r1', '>', 'r8', short);
}

/** The bit of `size` in the length says whether there is such a piece. */
function addPiece(asm: Assembler, size: number): void {
  const next = `piece${size}`;
  for (let at = 0; at < size; at += MOST_AT_ONCE) {
    asm.load(32, 'r1', 'r10', Stack.length).mov('r2', 'r1').and('r2', size).jumpIf('r2', '==', 0, next);
    pieceAt(asm, size, next);
    asm.add('r3', at).mov('r1', 0).mov('r2', 0).mov('r4', Math.min(size, MOST_AT_ONCE));
    asm.load(64, 'r5', 'r10', Stack.sum).call(Call.csumDiff).store(64, 'r10', Stack.sum, 'r0');
  }
  asm.label(next);
}

/** Two bytes, and one, which is the upper half of a word in network order. */
function addRest(asm: Assembler): void {
  for (const size of [2, 1] as const) {
    const next = `piece${size}`;
    asm.load(32, 'r1', 'r10', Stack.length).mov('r2', 'r1').and('r2', size).jumpIf('r2', '==', 0, next);
    pieceAt(asm, size, next);
    asm
      .load(size === 2 ? 16 : 8, 'r1', 'r3', 0)
      .load(64, 'r2', 'r10', Stack.sum)
      .add('r1', 'r2');
    asm.store(64, 'r10', Stack.sum, 'r1').label(next);
  }
}

/** A result of 0 is written as 0xffff, as skb_checksum_help does. */
function writeField(asm: Assembler, miss: string): void {
  asm.load(64, 'r1', 'r10', Stack.sum);
  fold(asm);
  asm.xor('r1', 0xffff).jumpIf('r1', '!=', 0, 'sumNotZero').mov('r1', 0xffff).label('sumNotZero').mov('r4', 'r1');
  asm.load(8, 'r5', 'r7', IP + 9).jumpIf('r5', '==', UDP, 'writeUdp');
  checkEnd(asm, SUM.tcp + 2, miss);
  asm.store(16, 'r7', SUM.tcp, 'r4').jump('whole').label('writeUdp').store(16, 'r7', SUM.udp, 'r4');
}
