/**
 * Instructions that complete a partial checksum (partial-checksum.ts), as senders on this machine
 * leave it: the field holds the sum of the pseudo header. A checksum that is right and has this
 * value by chance stays as it is.
 *
 *     field == sum of the pseudo header? ─► sum of all bytes, in pieces of 512 … 4, 2, 1 ─► field
 */
import { UDP } from '../../wire/ipv4.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { checkEnd, type Places, Stack } from './frame.js';

/** bpf_csum_diff takes lengths that the verifier knows, multiples of 4, 512 at most. */
const PIECES = [2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4];
const MOST_AT_ONCE = 512;
/** Bits of the longest segment or datagram that is completed. */
const LONGEST = 0xfff;

/**
 * Needs r7: the frame, r8: its end, Stack.total on the stack. Jumps to `miss` for a longer packet.
 */
export function completeSum(asm: Assembler, places: Places, miss: string): void {
  const { family, sum } = places;
  pseudoSum(asm, places);
  asm.load(8, 'r5', 'r7', places.protocol).jumpIf('r5', '==', UDP, `partialUdp${family}`);
  checkEnd(asm.mov('r4', 'r1'), sum.tcp + 2, miss);
  asm
    .load(16, 'r2', 'r7', sum.tcp)
    .jump(`partialField${family}`)
    .label(`partialUdp${family}`)
    .mov('r4', 'r1')
    .load(16, 'r2', 'r7', sum.udp);
  asm.label(`partialField${family}`).jumpIf('r4', '!=', 'r2', `rightSum${family}`);
  asm
    .load(32, 'r1', 'r10', Stack.total)
    .sub('r1', places.header)
    .jumpIf('r1', '>', LONGEST, miss)
    .store(32, 'r10', Stack.length, 'r1');
  asm.store(64, 'r10', Stack.sum, 0);
  for (const size of PIECES) addPiece(asm, places, size);
  addRest(asm, places);
  writeField(asm, places, miss);
  asm.label(`rightSum${family}`);
}

/** r1: folded sum of the pseudo header. */
function pseudoSum(asm: Assembler, { source, words, header, protocol }: Places): void {
  asm.load(32, 'r1', 'r7', source);
  for (let i = 1; i < 2 * words; i++) asm.load(32, 'r2', 'r7', source + 4 * i).add('r1', 'r2');
  asm.load(32, 'r2', 'r10', Stack.total).sub('r2', header).swap('r2', 16).add('r1', 'r2');
  asm.load(8, 'r2', 'r7', protocol).lsh('r2', 8).add('r1', 'r2');
  fold(asm);
}

/** Folds r1 to 16 bits. r2 is lost. */
function fold(asm: Assembler): void {
  asm.mov('r2', 'r1').rsh('r2', 32).lsh('r1', 32).rsh('r1', 32).add('r1', 'r2');
  for (let i = 0; i < 3; i++) asm.mov('r2', 'r1').rsh('r2', 16).and('r1', 0xffff).add('r1', 'r2');
}

/** r3: the bytes that come after all larger pieces; jumps when `size` of them are not there. */
function pieceAt(asm: Assembler, { l4 }: Places, size: number, short: string): void {
  asm
    .and('r1', LONGEST & ~(2 * size - 1))
    .mov('r3', 'r7')
    .add('r3', 'r1')
    .add('r3', l4);
  asm.mov('r1', 'r3').add('r1', size).jumpIf('r1', '>', 'r8', short);
}

/** The bit of `size` in the length says whether there is such a piece. */
function addPiece(asm: Assembler, places: Places, size: number): void {
  const next = `piece${size}of${places.family}`;
  for (let at = 0; at < size; at += MOST_AT_ONCE) {
    asm.load(32, 'r1', 'r10', Stack.length).mov('r2', 'r1').and('r2', size).jumpIf('r2', '==', 0, next);
    pieceAt(asm, places, size, next);
    asm.add('r3', at).mov('r1', 0).mov('r2', 0).mov('r4', Math.min(size, MOST_AT_ONCE));
    asm.load(64, 'r5', 'r10', Stack.sum).call(Call.csumDiff).store(64, 'r10', Stack.sum, 'r0');
  }
  asm.label(next);
}

/** Two bytes, and one, which is the upper half of a word in network order. */
function addRest(asm: Assembler, places: Places): void {
  for (const size of [2, 1] as const) {
    const next = `piece${size}of${places.family}`;
    asm.load(32, 'r1', 'r10', Stack.length).mov('r2', 'r1').and('r2', size).jumpIf('r2', '==', 0, next);
    pieceAt(asm, places, size, next);
    asm
      .load(size === 2 ? 16 : 8, 'r1', 'r3', 0)
      .load(64, 'r2', 'r10', Stack.sum)
      .add('r1', 'r2');
    asm.store(64, 'r10', Stack.sum, 'r1').label(next);
  }
}

/** A result of 0 is written as 0xffff, as skb_checksum_help does. */
function writeField(asm: Assembler, { family, protocol, sum }: Places, miss: string): void {
  asm.load(64, 'r1', 'r10', Stack.sum);
  fold(asm);
  const [some, udp, right] = [`sumNotZero${family}`, `writeUdp${family}`, `rightSum${family}`];
  asm.xor('r1', 0xffff).jumpIf('r1', '!=', 0, some).mov('r1', 0xffff).label(some).mov('r4', 'r1');
  asm.load(8, 'r5', 'r7', protocol).jumpIf('r5', '==', UDP, udp);
  checkEnd(asm, sum.tcp + 2, miss);
  asm.store(16, 'r7', sum.tcp, 'r4').jump(right).label(udp).store(16, 'r7', sum.udp, 'r4');
}
