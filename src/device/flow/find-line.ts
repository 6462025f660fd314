/**
 * Instructions that find the line of a packet.
 *
 *     checked header ─► hash ─┬─► pair of lines ─► that with the ports ─► row of the next hop
 *                             │     last words of the addresses, ports, protocol and family equal?
 *                             │       IPv6: the other words of the addresses equal?
 *                             └─► else: bucket ─► slot with the tag ─► line ─► the same
 */
import { TCP, UDP } from '../../wire/ipv4.js';
import { ACK, FIN, RST, SYN } from '../../wire/tcp.js';
import type { Assembler } from '../bpf/assembler.js';
import { type Access, IP, look, PLACES, type Places, Stack, wire16 } from './frame.js';
import { hashInstructions, mix6Instructions } from './hash.js';
import { CLIENT, type FlowMapFds, Hop, LINE_BITS, LINE_SHIFT, LINE_WORDS, PORTS, pairs, ROW, SLOTS } from './layout.js';

const LINE_BYTES_SHIFT = LINE_SHIFT + 2;
/** No UDP datagram is shorter. */
const SHORTEST = 8;

/**
 * Checks the IPv4 header: no option, no fragment, TTL > 1, length and checksum right. r4 and the
 * stack: length of the packet; stack: bytes behind it.
 */
export function header4(asm: Assembler, access: Access, miss: string): void {
  const { header, l4, ttl } = PLACES[4];
  access.reach(asm, 0, l4 + SHORTEST, miss);
  asm.load(8, 'r1', 'r7', IP).jumpIf('r1', '!=', 0x45, miss);
  asm
    .load(16, 'r1', 'r7', IP + 6)
    .and('r1', wire16(0x3fff))
    .jumpIf('r1', '!=', 0, miss);
  asm.load(8, 'r1', 'r7', ttl).jumpIf('r1', '<=', 1, miss);
  asm
    .load(16, 'r4', 'r7', IP + 2)
    .swap('r4', 16)
    .jumpIf('r4', '<', header + SHORTEST, miss);
  lengths(asm, access, miss);
  asm.load(32, 'r1', 'r7', IP);
  for (const at of [4, 8, 12, 16]) asm.load(32, 'r2', 'r7', IP + at).add('r1', 'r2');
  asm.mov('r2', 'r1').rsh('r2', 32).lsh('r1', 32).rsh('r1', 32).add('r1', 'r2');
  for (let i = 0; i < 2; i++) asm.mov('r2', 'r1').rsh('r2', 16).and('r1', 0xffff).add('r1', 'r2');
  asm.jumpIf('r1', '!=', 0xffff, miss);
}

/** The same for IPv6. A packet with extension headers has another protocol than TCP and UDP. */
export function header6(asm: Assembler, access: Access, miss: string): void {
  const { header, l4, ttl } = PLACES[6];
  access.reach(asm, 0, l4 + SHORTEST, miss);
  asm.load(8, 'r1', 'r7', IP).and('r1', 0xf0).jumpIf('r1', '!=', 0x60, miss);
  asm.load(8, 'r1', 'r7', ttl).jumpIf('r1', '<=', 1, miss);
  asm
    .load(16, 'r4', 'r7', IP + 4)
    .swap('r4', 16)
    .jumpIf('r4', '<', SHORTEST, miss)
    .add('r4', header);
  lengths(asm, access, miss);
}

/** r4: length of the packet, which the frame must have. */
function lengths(asm: Assembler, access: Access, miss: string): void {
  access.length(asm.store(32, 'r10', Stack.total, 'r4'));
  asm.jumpIf('r4', '>', 'r1', miss).sub('r1', 'r4').store(32, 'r10', Stack.extra, 'r1');
}

/** TCP with ACK and none of SYN, FIN, RST, or UDP with a checksum. r4: length of the packet. */
export function transport(asm: Assembler, access: Access, places: Places, miss: string): void {
  const { family, header, protocol, l4, sum } = places;
  const [udp, done] = [`flowUdp${family}`, `flowKey${family}`];
  asm.load(8, 'r5', 'r7', protocol).jumpIf('r5', '==', UDP, udp).jumpIf('r5', '!=', TCP, miss);
  asm.jumpIf('r4', '<', header + 20, miss);
  access.reach(asm, l4 + SHORTEST, l4 + 20, miss);
  asm
    .load(8, 'r1', 'r7', l4 + 13)
    .and('r1', SYN | FIN | RST | ACK)
    .jumpIf('r1', '!=', ACK, miss);
  asm.jump(done).label(udp).load(16, 'r1', 'r7', sum.udp).jumpIf('r1', '==', 0, miss).label(done);
}

/** r9: the line of the packet; the stack: its number, its row, and for IPv6 the rest of it. */
export function findLine(asm: Assembler, fds: FlowMapFds, places: Places, miss: string): void {
  const { family } = places;
  const [away, done] = [`flowAway${family}`, `flowLine${family}`];
  hashOf(asm, fds, places);
  inPair(asm, fds, places, miss);
  lookRow(asm, fds, away);
  checkKey(asm, places, away);
  asm.jump(done).label(away);
  inBucket(asm, fds, `flowFound${family}`, miss);
  lookRow(asm, fds, miss);
  checkKey(asm, places, miss);
  asm.label(done);
  if (family === 6) rest(asm, fds, places, miss);
}

/**
 * Of the pair of the hash in r1: r9 and its number on the stack: the line that has the ports of the
 * packet, else the first one.
 */
function inPair(asm: Assembler, { lines, bits }: FlowMapFds, { l4 }: Places, miss: string): void {
  // As pairOf.
  asm
    .mul('r1', pairs(SLOTS * 2 ** bits))
    .rsh('r1', 32)
    .store(32, 'r10', Stack.pair, 'r1');
  look(asm, lines, Stack.pair, miss);
  asm
    .load(32, 'r1', 'r7', l4)
    .load(32, 'r2', 'r0', 4 * (LINE_WORDS + PORTS))
    .xor('r2', 'r1')
    .sub('r2', 1)
    .rsh('r2', 63);
  asm.load(32, 'r1', 'r10', Stack.pair).lsh('r1', 1).or('r1', 'r2').store(32, 'r10', Stack.line, 'r1');
  asm.mov('r9', 'r0').lsh('r2', LINE_BYTES_SHIFT).add('r9', 'r2');
}

/** The line of the slot that has the tag of the hash on the stack, as `inPair`. */
function inBucket(asm: Assembler, fds: FlowMapFds, found: string, miss: string): void {
  asm
    .load(32, 'r9', 'r10', Stack.hash)
    .mov('r1', 'r9')
    .and('r1', 2 ** fds.bits - 1)
    .store(32, 'r10', Stack.index, 'r1')
    .rsh('r9', LINE_BITS)
    .lsh('r9', LINE_BITS);
  look(asm, fds.buckets, Stack.index, miss);
  // The number of the line is what is left of a slot with the tag.
  for (let slot = 0; slot < SLOTS; slot++)
    asm
      .load(32, 'r3', 'r0', 4 * slot)
      .xor('r3', 'r9')
      .jumpIf('r3', '<', 2 ** LINE_BITS, found);
  asm.jump(miss).label(found).store(32, 'r10', Stack.line, 'r3');
  lookLine(asm, fds, miss);
}

/** r9: the line whose number is on the stack. */
export function lookLine(asm: Assembler, { lines }: FlowMapFds, miss: string): void {
  asm.load(32, 'r1', 'r10', Stack.line).rsh('r1', 1).store(32, 'r10', Stack.pair, 'r1');
  look(asm, lines, Stack.pair, miss).mov('r9', 'r0');
  asm.load(32, 'r1', 'r10', Stack.line).and('r1', 1).lsh('r1', LINE_BYTES_SHIFT).add('r9', 'r1');
}

/** r0 and the stack: the row of the next hop of the line in r9. */
export function lookRow(asm: Assembler, { hops }: FlowMapFds, miss: string): void {
  asm.load(32, 'r1', 'r9', 4 * ROW).store(32, 'r10', Stack.hop, 'r1');
  look(asm, hops, Stack.hop, miss).store(64, 'r10', Stack.row, 'r0');
}

/**
 * Jumps to `other` unless the packet is one of the line in r9, whose row is in r0. It does not look
 * at the upper words of IPv6 addresses.
 */
export function checkKey(
  asm: Assembler,
  { family, source, destination, words, protocol, l4 }: Places,
  other: string,
): void {
  asm.load(32, 'r1', 'r7', source + 4 * (words - 1)).load(32, 'r2', 'r7', destination + 4 * (words - 1));
  swapIfReply(asm);
  asm.load(32, 'r3', 'r9', 4 * CLIENT).jumpIf('r3', '!=', 'r1', other);
  asm.load(32, 'r3', 'r0', 4 * Hop.other).jumpIf('r3', '!=', 'r2', other);
  asm
    .load(32, 'r2', 'r7', l4)
    .load(32, 'r3', 'r9', 4 * PORTS)
    .jumpIf('r3', '!=', 'r2', other);
  asm
    .load(8, 'r1', 'r7', protocol)
    .or('r1', family << 8)
    .load(32, 'r3', 'r0', 4 * Hop.protocol)
    .jumpIf('r3', '!=', 'r1', other);
}

/** r1 and r2 change places where the row in r0 is of replies. r3 and r4 are lost. */
export function swapIfReply(asm: Assembler): Assembler {
  asm
    .load(32, 'r3', 'r0', 4 * Hop.reply)
    .mov('r4', 'r1')
    .xor('r4', 'r2')
    .and('r4', 'r3');
  return asm.xor('r1', 'r4').xor('r2', 'r4');
}

/** r1 and the stack: the hash of the packet. */
function hashOf(asm: Assembler, { secret }: FlowMapFds, { family, source, destination, l4 }: Places): void {
  if (family === 4) asm.load(32, 'r1', 'r7', source).load(32, 'r2', 'r7', destination);
  else {
    mix6Instructions(asm, secret, 'r7', source);
    asm.mov('r5', 'r1');
    mix6Instructions(asm, secret, 'r7', destination);
    asm.mov('r2', 'r1').mov('r1', 'r5');
  }
  asm.load(32, 'r3', 'r7', l4);
  hashInstructions(asm, secret).store(32, 'r10', Stack.hash, 'r1');
}

/** Compares the upper words of the IPv6 addresses with the rest of the line. */
function rest(asm: Assembler, { wide }: FlowMapFds, { source, destination }: Places, miss: string): void {
  look(asm, wide, Stack.line, miss);
  for (const [at, from] of [
    [0, source],
    [12, destination],
  ] as const)
    for (let i = 0; i < 12; i += 4)
      asm
        .load(32, 'r1', 'r7', from + i)
        .load(32, 'r2', 'r0', at + i)
        .jumpIf('r1', '!=', 'r2', miss);
  asm.store(64, 'r10', Stack.wide, 'r0');
}
