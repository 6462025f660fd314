/**
 * The part of the XDP program that reads the IP header of a packet, and the extension headers of
 * IPv6. Afterwards r9 is the transport header. The stack (look-up.ts) has its protocol, and whether
 * the packet is a fragment.
 */
import { HEADER } from '../../wire/ethernet.js';
import {
  AUTHENTICATION,
  DESTINATION,
  FRAGMENT as FRAGMENT_HEADER,
  HOP_BY_HOP,
  ROUTING,
} from '../../wire/extensions.js';
import type { Assembler } from '../bpf/assembler.js';
import { wire16 } from '../flow/frame.js';
import { FRAGMENT } from './layout.js';
import { Stack } from './look-up.js';

/** Extension headers whose length is in units of 8 bytes. */
const OPTIONS = [HOP_BY_HOP, ROUTING, DESTINATION] as const;
/** IPv6 extension headers that the program follows. */
const EXTENSION_HEADERS = 8;

/** Sets r9 to the transport header. Writes protocol and fragment flag to the stack. */
export function ipv4(asm: Assembler): void {
  asm.load(8, 'r1', 'r7', HEADER).mov('r2', 'r1').and('r2', 0xf0).jumpIf('r2', '!=', 0x40, 'pass');
  asm.and('r1', 15).lsh('r1', 2).jumpIf('r1', '<', 20, 'pass');
  asm.mov('r9', 'r7').add('r9', 'r1').add('r9', HEADER);
  asm.load(8, 'r1', 'r7', HEADER + 9).store(32, 'r10', Stack.protocol, 'r1');
  asm.store(32, 'r10', Stack.fragmented, 0);
  asm
    .load(16, 'r1', 'r7', HEADER + 6)
    .and('r1', wire16(0x3fff))
    .jumpIf('r1', '==', 0, 'whole4');
  asm.store(32, 'r10', Stack.fragmented, FRAGMENT).label('whole4');
}

/**
 * The same for IPv6, behind its extension headers. The protocol of a fragment is the next header of
 * its fragment header.
 */
export function ipv6(asm: Assembler): void {
  asm
    .mov('r9', 'r7')
    .add('r9', HEADER + 40)
    .jumpIf('r9', '>', 'r8', 'pass');
  asm.store(32, 'r10', Stack.fragmented, 0).load(8, 'r1', 'r7', HEADER + 6);
  for (let i = 0; i < EXTENSION_HEADERS; i++) extension(asm, `ext${i}`, `ext${i + 1}`);
  asm.label(`ext${EXTENSION_HEADERS}`);
  for (const header of [HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION])
    asm.jumpIf('r1', '==', header, 'pass');
  asm.label('ipv6Done').store(32, 'r10', Stack.protocol, 'r1');
}

/**
 * Skips one extension header. r1: number of the header, afterwards of the next one; r9: where it
 * begins.
 */
function extension(asm: Assembler, here: string, next: string): void {
  asm.label(here);
  for (const header of OPTIONS) asm.jumpIf('r1', '==', header, `${here}Options`);
  asm.jumpIf('r1', '==', FRAGMENT_HEADER, `${here}Fragment`).jumpIf('r1', '!=', AUTHENTICATION, 'ipv6Done');
  checkBytes(asm, 8).load(8, 'r1', 'r9', 0).load(8, 'r2', 'r9', 1).add('r2', 2).lsh('r2', 2).add('r9', 'r2').jump(next);
  asm.label(`${here}Options`);
  checkBytes(asm, 8).load(8, 'r1', 'r9', 0).load(8, 'r2', 'r9', 1).add('r2', 1).lsh('r2', 3).add('r9', 'r2').jump(next);
  asm.label(`${here}Fragment`);
  checkBytes(asm, 8).load(8, 'r1', 'r9', 0).load(16, 'r2', 'r9', 2).and('r2', wire16(0xfff9)).add('r9', 8);
  asm.jumpIf('r2', '==', 0, next).store(32, 'r10', Stack.fragmented, FRAGMENT).jump('ipv6Done');
}

/**
 * Passes the frame when it ends less than `bytes` behind r9: the verifier wants the check, the
 * stack may answer.
 */
export function checkBytes(asm: Assembler, bytes: number): Assembler {
  return asm.mov('r2', 'r9').add('r2', bytes).jumpIf('r2', '>', 'r8', 'pass');
}
