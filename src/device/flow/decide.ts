/**
 * Instructions that decide about an skb, as flow/program.ts does about a frame: is there a line, in
 * force, whose next hop takes the packet? If so, they count it. They read the headers from a copy
 * on the stack, because a socket filter reaches no packet in another way.
 *
 *     skb for this host, not tagged ─► headers, copied ─► line in force ─► segments fit the MTU ─► counted
 *
 * A GSO packet counts as the packets that it stands for, as the director would have cut it
 * (device/gso.ts).
 */
import { TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import { UDP } from '../../wire/ipv4.js';
import * as udp from '../../wire/udp.js';
import { type Assembler, Call } from '../bpf/assembler.js';
import { findLine, header4, header6, transport } from './find-line.js';
import { type Access, IP, PLACES, type Places, Stack, wire16 } from './frame.js';
import { type FlowMapFds, Hop } from './layout.js';
import { mustNotFragment } from './tunnel.js';
import { type Clock, count, inForce, nextHop } from './use-line.js';

/** struct __sk_buff: byte offsets. */
export const SKB = { length: 0, packetType: 4, protocol: 16, tagged: 20, data: 76, dataEnd: 80, gsoSize: 176 } as const;
const PACKET_HOST = 0;
const SHORTEST_TCP = 20;
/** Bytes of an IP packet. */
const LONGEST = 0xffff;

/** How the programs of a device of kind packet use a flow table. */
export interface SkbUse {
  readonly fds: FlowMapFds;
  readonly clock?: Clock;
  /** The host's address, in a test run, which has no interface. */
  readonly mac?: Uint8Array;
}

/** r6: the skb; r7: the copy. */
const COPIED: Access = {
  reach: (asm, from, end, short) =>
    asm
      .mov('r1', 'r6')
      .mov('r2', from)
      .mov('r3', 'r7')
      .add('r3', from)
      .mov('r4', end - from)
      .call(Call.loadBytes)
      .jumpIf('r0', '!=', 0, short),
  length: (asm) => asm.load(32, 'r1', 'r6', SKB.length).sub('r1', IP),
};

/**
 * Needs r6: the skb. Goes on with `decided` when the packet is counted and its line is on the
 * stack, else with `miss`. r7 and r9 are lost.
 */
export function decide(asm: Assembler, use: SkbUse, to: { readonly decided: string; readonly miss: string }): void {
  const { miss, decided } = to;
  asm.load(32, 'r1', 'r6', SKB.tagged).jumpIf('r1', '!=', 0, miss);
  if (use.mac === undefined) asm.load(32, 'r1', 'r6', SKB.packetType).jumpIf('r1', '!=', PACKET_HOST, miss);
  asm.mov('r7', 'r10').add('r7', Stack.copy);
  byFamily(asm, 'decide', miss);
  for (const family of [4, 6] as const) {
    asm.label(`decide${family}`);
    decideFamily(asm, use, PLACES[family], miss);
    asm.jump(decided);
  }
}

/** Jumps to `${to}4` or `${to}6` by the skb's protocol, else to `other`. */
export function byFamily(asm: Assembler, to: string, other: string): void {
  asm.load(32, 'r1', 'r6', SKB.protocol).jumpIf('r1', '==', wire16(TYPE_IPV4), `${to}4`);
  asm.jumpIf('r1', '==', wire16(TYPE_IPV6), `${to}6`).jump(other);
}

function decideFamily(asm: Assembler, use: SkbUse, places: Places, miss: string): void {
  const { fds, clock = 'kernel', mac } = use;
  const { family } = places;
  if (family === 4) header4(asm, COPIED, miss);
  else header6(asm, COPIED, miss);
  if (mac !== undefined) checkMac(asm, mac, miss);
  transport(asm, COPIED, places, miss);
  findLine(asm, fds, places, miss);
  inForce(asm, fds, clock, miss);
  segments(asm, places, miss);
  nextHop(asm, family, miss, Stack.longest);
  mayEncapsulate(asm, places, miss);
  count(asm, fds, `Skb${family}`, (each) =>
    each.load(32, 'r4', 'r10', Stack.bytes).load(32, 'r1', 'r10', Stack.segments),
  );
}

/**
 * Needs r0: the row of the next hop. A tunnel's packet has DF, and has room for the headers. A GSO
 * packet of UDP goes to the director: where it is received by a raw socket (`ulvs decapsulate`),
 * nobody knows any more where one datagram ends.
 */
function mayEncapsulate(asm: Assembler, { family, protocol }: Places, miss: string): void {
  const plain = `plain${family}`;
  asm.load(32, 'r1', 'r0', 4 * Hop.tunnel).jumpIf('r1', '==', 0, plain);
  asm.load(32, 'r2', 'r10', Stack.total).add('r1', 'r2').jumpIf('r1', '>', LONGEST, miss);
  mustNotFragment(asm, family, miss);
  asm.load(8, 'r1', 'r7', protocol).jumpIf('r1', '!=', UDP, plain);
  asm.load(32, 'r1', 'r6', SKB.gsoSize).jumpIf('r1', '!=', 0, miss).label(plain);
}

function checkMac(asm: Assembler, mac: Uint8Array, other: string): void {
  for (let i = 0; i < 6; i += 2) asm.load(16, 'r1', 'r7', i).jumpIf('r1', '!=', mac[i]! | (mac[i + 1]! << 8), other);
}

/** Writes how many packets the skb stands for, their bytes, and the length of the longest one. */
function segments(asm: Assembler, { family, header, protocol, l4 }: Places, miss: string): void {
  const [gso, cut, done] = [`gso${family}`, `cut${family}`, `segments${family}`];
  asm.load(32, 'r4', 'r10', Stack.total).load(32, 'r1', 'r6', SKB.gsoSize).jumpIf('r1', '!=', 0, gso);
  asm.store(32, 'r10', Stack.segments, 1).store(32, 'r10', Stack.bytes, 'r4').store(32, 'r10', Stack.longest, 'r4');
  asm.jump(done).label(gso).load(32, 'r2', 'r10', Stack.extra).jumpIf('r2', '!=', 0, miss);
  asm.load(8, 'r2', 'r7', protocol).mov('r3', udp.HEADER).jumpIf('r2', '==', UDP, cut);
  asm
    .load(8, 'r3', 'r7', l4 + 12)
    .rsh('r3', 4)
    .lsh('r3', 2)
    .jumpIf('r3', '<', SHORTEST_TCP, miss);
  asm.label(cut).add('r3', header).jumpIf('r3', '>=', 'r4', miss);
  asm.mov('r2', 'r4').sub('r2', 'r3').add('r2', 'r1').sub('r2', 1).div('r2', 'r1');
  asm.store(32, 'r10', Stack.segments, 'r2').sub('r2', 1).mul('r2', 'r3').add('r2', 'r4');
  asm.store(32, 'r10', Stack.bytes, 'r2').add('r3', 'r1').store(32, 'r10', Stack.longest, 'r3').label(done);
}
