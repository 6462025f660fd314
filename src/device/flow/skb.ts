/**
 * The programs of a device of kind packet, which forward skbs by the flow table (layout.ts). A
 * packet socket sees a packet before traffic control does; so the socket's filter decides, and the
 * classifier at ingress (tcx) does what the filter has decided about the same packet:
 *
 *     skb ─► socket filter ─ decide.ts ─┬─ line ─► claim: line + 1; the socket does not get it
 *                                       └─ none ─► claim: LEFT; the socket gets it
 *         ─► classifier ─ claim of this CPU, which becomes 0 ─┬─ line ─► rewrite, or the headers of a tunnel ─► redirect
 *                                                             ├─ LEFT ─► the next program, nft, the stack
 *                                                             └─ 0: no socket saw it ─► decide.ts
 *
 * The kernel delivers a packet to both on one CPU, one packet after the other. A filter that finds
 * the claim of a former packet knows that no classifier follows, and leaves all to the socket. GSO
 * packets and partial checksums leave as they came: the device that sends them, or the kernel
 * before it, cuts and completes.
 */
import { TCP, UDP } from '../../wire/ipv4.js';
import { Assembler, Call } from '../bpf/assembler.js';
import { byFamily, decide, SKB, type SkbUse } from './decide.js';
import { checkKey, lookLine, lookRow } from './find-line.js';
import { checkEnd, IP, look, PLACES, type Places, Stack } from './frame.js';
import { Control, DEVICES, type FlowMapFds, Hop, SHIMS } from './layout.js';
import { rewriteHeaders } from './rewrite.js';
import { tunnel } from './tunnel.js';

/** The claim of a packet that the socket gets. */
const LEFT = -1;
/** Results of a socket filter: the bytes that the socket gets. */
const WHOLE = -1;
const NOTHING = 0;
/** enum tcx_action_base. */
const TCX_NEXT = -1;
const TCX_DROP = 2;
/** Flags of bpf_l4_csum_replace. */
const PSEUDO_HEADER = 1 << 4;
const MANGLED_0 = 1 << 5;
/** Linux 6.16 and later: of IPv6 no header sum makes up for a changed address. */
const IPV6 = 1 << 7;
/** BPF_ADJ_ROOM_MAC, and the flags of bpf_skb_adjust_room: segments keep their size. */
const BEHIND_MAC = 1;
const FIXED_GSO = 1;
const ENCAPSULATES = { 4: FIXED_GSO | (1 << 1), 6: FIXED_GSO | (1 << 2) } as const;
/** By bytes between outer IP header and packet (SHIMS): ipip, gre, gue. */
const ENCAPSULATES_BY: Readonly<Record<number, number>> = { [SHIMS[0]]: 0, [SHIMS[1]]: 1 << 3, [SHIMS[2]]: 1 << 4 };

/** The socket filter of a device. */
export function filterProgram(use: SkbUse): Uint8Array {
  const asm = new Assembler().mov('r6', 'r1');
  lookClaim(asm, use, 'left');
  asm.mov('r8', 'r0').load(32, 'r1', 'r8', 0).jumpIf('r1', '!=', 0, 'left');
  asm.store(32, 'r8', 0, LEFT);
  decide(asm, use, { decided: 'decided', miss: 'left' });
  asm.label('decided').load(32, 'r1', 'r10', Stack.line).add('r1', 1).store(32, 'r8', 0, 'r1');
  return asm.mov('r0', NOTHING).exit().label('left').mov('r0', WHOLE).exit().assemble();
}

/** The classifier at the ingress of a device. */
export function classifierProgram(use: SkbUse): Uint8Array {
  const asm = new Assembler().mov('r6', 'r1');
  lookClaim(asm, use, 'next');
  asm.load(32, 'r1', 'r0', 0).store(32, 'r0', 0, 0).jumpIf32('r1', '==', LEFT, 'next');
  asm.jumpIf('r1', '!=', 0, 'claimed');
  decide(asm, use, { decided: 'forward', miss: 'next' });
  asm.label('claimed').sub('r1', 1).store(32, 'r10', Stack.line, 'r1').label('forward');
  byFamily(asm, 'forward', 'next');
  for (const family of [4, 6] as const) forward(asm.label(`forward${family}`), use.fds, PLACES[family]);
  asm.label('next').mov('r0', TCX_NEXT).exit();
  return asm.label('drop').mov('r0', TCX_DROP).exit().assemble();
}

/** A classifier that leaves every packet to the next one, to find out whether there is tcx. */
export function nextProgram(): Uint8Array {
  return new Assembler().mov('r0', TCX_NEXT).exit().assemble();
}

/** r0: the claim of this CPU. */
function lookClaim(asm: Assembler, { fds }: SkbUse, missing: string): void {
  look(asm.store(32, 'r10', Stack.index, 0), fds.claims, Stack.index, missing);
}

/** Rewrites the packet by the line on the stack, and sends it. */
function forward(asm: Assembler, fds: FlowMapFds, places: Places): void {
  const { family } = places;
  lookLine(asm, fds, 'drop');
  reachPacket(asm, places);
  lookRow(asm, fds, 'drop');
  // A claim that stayed behind is about another packet.
  checkKey(asm, places, 'next');
  if (family === 6)
    look(asm, fds.wide, Stack.line, 'drop').store(64, 'r10', Stack.wide, 'r0').load(64, 'r0', 'r10', Stack.row);
  asm.load(16, 'r1', 'r0', 4 * Hop.deviceMtu).store(32, 'r10', Stack.device, 'r1');
  const [send, tunnelled] = [`send${family}`, `tunnel${family}`];
  asm.load(32, 'r1', 'r0', 4 * Hop.tunnel).jumpIf('r1', '!=', 0, tunnelled);
  rewriteHeaders(asm, places);
  transportSum(asm, places);
  asm.label(send);
  redirect(asm, fds);
  tunnel(asm.label(tunnelled), fds, places, { miss: 'drop', send }, undefined, roomInSkb);
}

/** r7: the packet, with its headers in one piece; r8: the end of that piece. */
function reachPacket(asm: Assembler, { family, l4 }: Places): void {
  const [again, there] = [`pull${family}`, `there${family}`];
  reach(asm, l4 + 8, again)
    .jump(there)
    .label(again);
  asm
    .mov('r1', 'r6')
    .mov('r2', l4 + 8)
    .call(Call.pullData);
  reach(asm, l4 + 8, 'drop').label(there);
}

function reach(asm: Assembler, bytes: number, short: string): Assembler {
  return checkEnd(asm.load(32, 'r7', 'r6', SKB.data).load(32, 'r8', 'r6', SKB.dataEnd), bytes, short);
}

/**
 * Room for a tunnel's headers, of which the kernel knows, so that it can cut a GSO packet behind
 * them. It refuses that for a packet that has such headers already: of another sender on this
 * machine. Then it knows of none, which is enough for a packet that nobody cuts.
 */
function roomInSkb(asm: Assembler, { family, header, l4 }: Places, bytes: number, miss: string): void {
  const made = `room${bytes - header}of${family}`;
  if (family === 4) asm.load(16, 'r1', 'r7', IP + 2).swap('r1', 16);
  else
    asm
      .load(16, 'r1', 'r7', IP + 4)
      .swap('r1', 16)
      .add('r1', header);
  asm.store(32, 'r10', Stack.total, 'r1');
  for (const flags of [ENCAPSULATES[family] | ENCAPSULATES_BY[bytes - header]!, 0]) {
    asm.mov('r1', 'r6').mov('r2', bytes).mov('r3', BEHIND_MAC).mov('r4', flags).call(Call.adjustRoom);
    asm.jumpIf('r0', '==', 0, made);
    if (flags !== 0) asm.load(32, 'r1', 'r6', SKB.gsoSize).jumpIf('r1', '!=', 0, miss);
  }
  reach(asm.jump(miss).label(made), l4 + bytes, miss);
}

/**
 * The kernel knows whether the checksum is complete. In a partial one, the sum of the pseudo
 * header, only addresses count. So it gets their difference and that of the ports apart. The calls
 * lose r0, the row: r9 is the row from here on.
 */
function transportSum(asm: Assembler, { family, sum }: Places): void {
  const done = `summed${family}`;
  asm
    .mov('r9', 'r0')
    .load(16, 'r1', 'r9', 4 * Hop.deltas + 2)
    .jumpIf('r1', '==', 0, done);
  asm.load(8, 'r1', 'r9', 4 * Hop.protocol).jumpIf('r1', '==', UDP, `sum${UDP}of${family}`);
  for (const protocol of [TCP, UDP]) {
    const flags = protocol === UDP ? MANGLED_0 : 0;
    const field = protocol === UDP ? sum.udp : sum.tcp;
    asm.label(`sum${protocol}of${family}`);
    const addresses = (more: number) => replaceSum(addressDelta(asm, 'r4'), field, PSEUDO_HEADER | flags | more);
    if (family === 6) addresses(IPV6).jumpIf('r0', '==', 0, `ports${protocol}`);
    addresses(0).jumpIf('r0', '!=', 0, 'drop');
    if (family === 6) asm.label(`ports${protocol}`);
    addressDelta(asm, 'r3')
      .xor('r3', 0xffff)
      .load(16, 'r4', 'r9', 4 * Hop.deltas + 2)
      .add('r4', 'r3');
    replaceSum(asm, field, flags).jumpIf('r0', '!=', 0, 'drop').jump(done);
  }
  asm.label(done);
}

/** What the addresses change in a sum: the header's delta without the TTL's step. r5 is lost. */
function addressDelta(asm: Assembler, to: 'r3' | 'r4'): Assembler {
  asm.load(16, to, 'r9', 4 * Hop.deltas).add(to, 1);
  return asm.mov('r5', to).rsh('r5', 16).and(to, 0xffff).add(to, 'r5');
}

/** r4: the difference. r0: not 0 when the kernel refuses. */
function replaceSum(asm: Assembler, field: number, flags: number): Assembler {
  asm.mov('r1', 'r6').mov('r2', field).mov('r3', 0).mov('r5', flags);
  return asm.call(Call.l4CsumReplace);
}

/** To the interface of the device on the stack. */
function redirect(asm: Assembler, { control }: FlowMapFds): void {
  look(asm.store(32, 'r10', Stack.index, 0), control, Stack.index, 'drop');
  asm
    .load(32, 'r1', 'r10', Stack.device)
    .and('r1', DEVICES - 1)
    .lsh('r1', 2)
    .add('r0', 'r1');
  asm.load(32, 'r1', 'r0', 4 * Control.interfaces).jumpIf('r1', '==', 0, 'drop');
  asm.mov('r2', 0).call(Call.redirect).exit();
}
