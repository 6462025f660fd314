/**
 * Instructions that rewrite a packet for its next hop: MAC addresses, addresses, ports, TTL, and
 * both checksums. There are no branches between NAT in, NAT out and direct routing: words and sums
 * that do not change are written as they are, and a delta of 0 leaves a sum alone.
 */
import { UDP } from '../../wire/ipv4.js';
import type { Assembler } from '../bpf/assembler.js';
import { swapIfReply } from './find-line.js';
import { checkEnd, IP, type Places, Stack } from './frame.js';
import { CLIENT, Hop, PORTS, WIDE_NEW } from './layout.js';

/** Needs r0: the row of the next hop, r9: the line. */
export function rewrite(asm: Assembler, places: Places): void {
  rewriteHeaders(asm, places);
  transportSum(asm, places);
}

/** All but the transport's checksum. */
export function rewriteHeaders(asm: Assembler, places: Places): void {
  const { family, source, destination, words, l4, ttl } = places;
  const last = 4 * (words - 1);
  macs(asm);
  if (family === 6) upperWords6(asm, source, destination);
  asm.load(32, 'r1', 'r9', 4 * CLIENT).load(32, 'r2', 'r0', 4 * Hop.newOther);
  swapIfReply(asm)
    .store(32, 'r7', source + last, 'r1')
    .store(32, 'r7', destination + last, 'r2');
  asm
    .load(32, 'r1', 'r9', 4 * PORTS)
    .load(32, 'r2', 'r0', 4 * Hop.portsKept)
    .and('r1', 'r2');
  asm
    .load(32, 'r2', 'r0', 4 * Hop.newPorts)
    .or('r1', 'r2')
    .store(32, 'r7', l4, 'r1');
  asm.load(8, 'r1', 'r7', ttl).sub('r1', 1).store(8, 'r7', ttl, 'r1');
  if (family === 4) {
    asm.load(16, 'r1', 'r7', IP + 10).load(16, 'r2', 'r0', 4 * Hop.deltas);
    adjust(asm).store(16, 'r7', IP + 10, 'r1');
  }
}

/** Writes the MAC addresses of the row in r0. */
export function macs(asm: Assembler): void {
  asm.load(64, 'r1', 'r0', 4 * Hop.macs).store(64, 'r7', 0, 'r1');
  asm.load(32, 'r1', 'r0', 4 * Hop.macs + 8).store(32, 'r7', 8, 'r1');
}

function upperWords6(asm: Assembler, source: number, destination: number): void {
  asm.load(64, 'r2', 'r10', Stack.wide);
  for (const [from, to] of [
    [0, source],
    [12, destination],
  ] as const)
    for (let i = 0; i < 12; i += 4) asm.load(32, 'r1', 'r2', 4 * WIDE_NEW + from + i).store(32, 'r7', to + i, 'r1');
}

function transportSum(asm: Assembler, { family, protocol, sum }: Places): void {
  const [udp, some, done] = [`flowUdpSum${family}`, `flowSum${family}`, `flowRewritten${family}`];
  asm
    .load(16, 'r2', 'r0', 4 * Hop.deltas + 2)
    .load(8, 'r5', 'r7', protocol)
    .jumpIf('r5', '==', UDP, udp);
  checkEnd(asm, sum.tcp + 2, done);
  asm.load(16, 'r1', 'r7', sum.tcp);
  adjust(asm).store(16, 'r7', sum.tcp, 'r1').jump(done);
  asm.label(udp).load(16, 'r1', 'r7', sum.udp);
  adjust(asm).jumpIf('r1', '!=', 0, some).mov('r1', 0xffff).label(some).store(16, 'r7', sum.udp, 'r1').label(done);
}

/** Adds the delta in r2 to the checksum in r1 (RFC 1624). r3 is lost. */
export function adjust(asm: Assembler): Assembler {
  asm.xor('r1', 0xffff).add('r1', 'r2').mov('r3', 'r1').rsh('r3', 16).and('r1', 0xffff).add('r1', 'r3');
  return asm.xor('r1', 0xffff);
}
