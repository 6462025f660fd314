/**
 * Instructions that put the headers of a tunnel in front of a packet, as dataplane/xmit/tunnel.ts
 * does for a packet of the same family with DF: the outer id is 0 then. An IPv4 packet without DF
 * needs an id of the director's, and is a miss.
 *
 *     | MACs, type | outer IP: TOS, length, TTL of the packet; addresses of the hop | gre, gue | packet, TTL − 1 |
 */
import { TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { checkEnd, IP, look, type Places, Stack, wire16 } from './frame.js';
import { type FlowMapFds, Hop, SHIMS, WIDE_GUE } from './layout.js';
import { adjust, macs } from './rewrite.js';

const DF = 0x40 << 16;

/**
 * Needs r0: the row of the next hop, also on the stack, r6: the context, r9: the line. Jumps to
 * `miss` when nothing was done, to `send` when the packet may leave. `count`: adds the instructions
 * that count, under a name. `room`: those that move the beginning of the packet.
 */
export function tunnel(
  asm: Assembler,
  fds: FlowMapFds,
  places: Places,
  to: { readonly miss: string; readonly send: string },
  count: (name: string) => void = () => {},
  room: MakeRoom = roomInFrame,
): void {
  const { family, header } = places;
  mustNotFragment(asm, family, to.miss);
  for (const shim of SHIMS) {
    const next = `flowNotShim${shim}of${family}`;
    asm.load(64, 'r1', 'r10', Stack.row).load(32, 'r1', 'r1', 4 * Hop.tunnel);
    asm.jumpIf('r1', '!=', header + shim, next);
    if (shim === SHIMS[2])
      look(asm, fds.wide, Stack.line, to.miss)
        .load(32, 'r1', 'r0', 4 * WIDE_GUE)
        .store(32, 'r10', Stack.gue, 'r1');
    room(asm, places, header + shim, to.miss);
    asm.load(64, 'r0', 'r10', Stack.row);
    count(`Tunnel${shim}`);
    write(asm, places, shim);
    asm.jump(to.send).label(next);
  }
  asm.jump(to.miss);
}

/** An IPv4 packet has DF. Needs r7: the packet. */
export function mustNotFragment(asm: Assembler, family: 4 | 6, miss: string): void {
  if (family === 6) return;
  asm
    .load(16, 'r1', 'r7', IP + 6)
    .and('r1', wire16(0x4000))
    .jumpIf('r1', '==', 0, miss);
}

/**
 * Moves the beginning of the packet by `bytes`, all headers of the tunnel. r7, r8 as before;
 * Stack.total: length of the packet inside.
 */
export type MakeRoom = (asm: Assembler, places: Places, bytes: number, miss: string) => void;

/** A driver may leave no room for the headers. */
function roomInFrame(asm: Assembler, { l4 }: Places, bytes: number, miss: string): void {
  asm.mov('r1', 'r6').mov('r2', -bytes).call(Call.adjustHead).jumpIf('r0', '!=', 0, miss);
  asm.load(32, 'r7', 'r6', 0).load(32, 'r8', 'r6', 4);
  checkEnd(asm, l4 + bytes, miss);
}

function write(asm: Assembler, places: Places, shim: number): void {
  const { family, header, ttl } = places;
  const bytes = header + shim;
  macs(asm);
  asm.store(16, 'r7', 12, wire16(family === 4 ? TYPE_IPV4 : TYPE_IPV6));
  asm
    .load(8, 'r1', 'r7', ttl + bytes)
    .sub('r1', 1)
    .store(8, 'r7', ttl + bytes, 'r1')
    .store(8, 'r7', ttl, 'r1');
  asm.store(8, 'r7', places.protocol, protocolOf(family, shim));
  asm.load(32, 'r4', 'r10', Stack.total);
  if (family === 4) outer4(asm, bytes);
  else outer6(asm, bytes, shim);
  shimHeader(asm, places, shim);
}

/** r4: length of the packet inside. */
function outer4(asm: Assembler, bytes: number): void {
  asm.load(16, 'r1', 'r7', IP + bytes + 10).load(16, 'r2', 'r0', 4 * Hop.deltas);
  adjust(asm).store(16, 'r7', IP + bytes + 10, 'r1');
  outerTos(asm.load(8, 'r3', 'r7', IP + bytes + 1));
  asm.lsh('r3', 8).or('r3', 0x45).store(16, 'r7', IP, 'r3');
  asm
    .mov('r2', 'r4')
    .add('r2', bytes)
    .swap('r2', 16)
    .store(16, 'r7', IP + 2, 'r2')
    .add('r3', 'r2');
  asm.store(32, 'r7', IP + 4, DF);
  asm
    .load(8, 'r1', 'r7', IP + 8)
    .add('r1', 'r3')
    .load(32, 'r2', 'r0', 4 * Hop.sum)
    .add('r1', 'r2');
  for (let i = 0; i < 2; i++) asm.mov('r2', 'r1').rsh('r2', 16).and('r1', 0xffff).add('r1', 'r2');
  asm.xor('r1', 0xffff).store(16, 'r7', IP + 10, 'r1');
  asm.load(64, 'r1', 'r0', 4 * Hop.outer).store(64, 'r7', IP + 12, 'r1');
}

function outer6(asm: Assembler, bytes: number, shim: number): void {
  asm
    .load(32, 'r3', 'r7', IP + bytes)
    .swap('r3', 32)
    .rsh('r3', 20)
    .and('r3', 0xff);
  outerTos(asm).lsh('r3', 20).or('r3', 0x60000000).swap('r3', 32).store(32, 'r7', IP, 'r3');
  asm
    .mov('r1', 'r4')
    .add('r1', shim)
    .swap('r1', 16)
    .store(16, 'r7', IP + 4, 'r1');
  for (let at = 0; at < 32; at += 8) asm.load(64, 'r1', 'r0', 4 * Hop.outer + at).store(64, 'r7', IP + 8 + at, 'r1');
}

/** The TOS in r3 as that of the outer header: "congestion experienced" becomes ECT(0). */
function outerTos(asm: Assembler): Assembler {
  return asm.mov('r1', 'r3').rsh('r1', 1).and('r1', 'r3').and('r1', 1).xor('r3', 'r1');
}

/** gre: its type; gue: the ports on the stack, the length, no checksum, the type. r4: as before. */
function shimHeader(asm: Assembler, { family, header }: Places, shim: number): void {
  const at = IP + header;
  if (shim === SHIMS[1]) asm.store(32, 'r7', at, wire16(family === 4 ? TYPE_IPV4 : TYPE_IPV6) << 16);
  if (shim !== SHIMS[2]) return;
  asm.load(32, 'r1', 'r10', Stack.gue).store(32, 'r7', at, 'r1');
  asm
    .add('r4', shim)
    .swap('r4', 16)
    .store(32, 'r7', at + 4, 'r4');
  asm.store(32, 'r7', at + 8, (family === 4 ? ipv4.IPIP : ipv4.IPV6) << 8);
}

/** The protocol that the outer header names. */
function protocolOf(family: 4 | 6, shim: number): number {
  if (shim === SHIMS[1]) return ipv4.GRE;
  if (shim === SHIMS[2]) return ipv4.UDP;
  return family === 4 ? ipv4.IPIP : ipv4.IPV6;
}
