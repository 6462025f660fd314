/**
 * The XDP program of a device: redirects the packets that its maps select to the director, and
 * passes all others to the stack of the host. It passes frames for other MAC addresses, tagged
 * frames, and all that is neither ARP nor IP.
 *
 *     IPv4, IPv6 of a connection in the flow table? (flow/program.ts) ─► forwarded
 *     ARP request ─ target ─► trie dst4: ARP_TARGET? ────────────────────────────────────────► redirect
 *     IPv4, IPv6 ─┬─ ICMP error? redirected, if errors are ───────────────────────────────────────► redirect
 *                 ├─ neighbour solicitation ─ target ─► trie dst6: ARP_TARGET? ──────────────────► redirect
 *                 ├─ destination ─► trie: WHOLE? PORTS ─► port table (protocol, port), (…, any)? ► redirect
 *                 ├─ source ──────► trie: WHOLE? PORTS ─► port table? ───────────────────────────► redirect
 *                 └─ rule bits of destination & source & protocol & ports: any left? ────────────► redirect
 *
 * Fragments have no ports. The program redirects all fragments to an address of which it redirects
 * a port. The director reassembles them, and gives back to the host the packets that are not its
 * own.
 */

import { XDP_PASS } from '../../sys/bpf.js';
import { HEADER, TYPE_ARP, TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import {
  AUTHENTICATION,
  DESTINATION,
  FRAGMENT as FRAGMENT_HEADER,
  HOP_BY_HOP,
  ROUTING,
} from '../../wire/extensions.js';
import { NEIGHBOUR_SOLICITATION } from '../../wire/icmp6.js';
import { ICMP as ICMP4 } from '../../wire/ipv4.js';
import { ICMP6 } from '../../wire/ipv6.js';
import { Assembler, Call } from '../bpf/assembler.js';
import { type FlowUse, flowInstructions } from '../flow/program.js';
import { ICMP_ERRORS, ICMP6_ERRORS } from '../intercept/rule.js';
import {
  ARP_TARGET,
  FRAGMENT,
  FRAGMENT_BITS,
  ICMP_ERRORS_4,
  ICMP_ERRORS_6,
  type InterceptMapFds,
  NO_PORT,
  OWN_MAC,
  PORTS,
  SIDES,
  type Side,
  WHOLE,
  WITH_PORTS,
} from './layout.js';

/** struct xdp_md: byte offsets. */
const CONTEXT = { data: 0, dataEnd: 4, queue: 16 } as const;

const ICMP = { 4: ICMP4, 6: ICMP6 } as const;
/** Extension headers whose length is in units of 8 bytes. */
const OPTIONS = [HOP_BY_HOP, ROUTING, DESTINATION] as const;
/** IPv6 extension headers that the program follows. */
const EXTENSION_HEADERS = 8;

/** Offsets in the stack of the program, below r10. The keys of the look-ups are built in place. */
const INDEX = -4;
const TRIE_KEY = -24;
const PORT_KEY = -48;
const PROTOCOL = -52;
const SPORT = -56;
const DPORT = -60;
const SPORT_INDEX = -64;
const DPORT_INDEX = -68;
const FRAGMENTED = -72;
const MULTICAST = -76;
const KEY = { port: PORT_KEY + 16, protocol: PORT_KEY + 18, side: PORT_KEY + 19 } as const;

/** `value` in network order, as a little-endian machine reads it. */
function wire16(value: number): number {
  return ((value & 0xff) << 8) | (value >>> 8);
}

/**
 * The instructions of the program. `xsks`: file descriptor of the XSKMAP, the map of sockets by
 * queue. `flows`: packets of established connections are forwarded here.
 */
export function interceptProgram(maps: InterceptMapFds, xsks: number, flows?: FlowUse): Uint8Array {
  const asm = new Assembler();
  begin(asm);
  asm.load(16, 'r1', 'r7', 12);
  asm.jumpIf('r1', '==', wire16(TYPE_ARP), 'arp').jumpIf('r1', '==', wire16(TYPE_IPV6), 'ipv6');
  asm.jumpIf('r1', '!=', wire16(TYPE_IPV4), 'pass');
  checkMac(asm, maps, 'pass');
  if (flows !== undefined) flowInstructions(asm, flows, 4, 'pass');
  ipv4(asm);
  transport(asm, 4, maps);
  match(asm, 4, maps);
  asm.label('ipv6').store(32, 'r10', MULTICAST, 0);
  checkMac(asm, maps, 'multicast');
  if (flows !== undefined) flowInstructions(asm, flows, 6, 'pass');
  asm.jump('ipv6Header');
  asm.label('multicast').load(8, 'r1', 'r7', 0).and('r1', 1).store(32, 'r10', MULTICAST, 'r1');
  asm.jumpIf('r1', '==', 0, 'pass').label('ipv6Header');
  ipv6(asm);
  transport(asm, 6, maps);
  asm.load(32, 'r1', 'r10', MULTICAST).jumpIf('r1', '!=', 0, 'pass');
  match(asm, 6, maps);
  arp(asm, maps);
  asm.label('pass').mov('r0', XDP_PASS).exit();
  return redirect(asm, xsks).assemble();
}

/** The instructions for a flow table alone, to find out whether the kernel takes them. */
export function flowProgram(flows: FlowUse): Uint8Array {
  const asm = new Assembler();
  begin(asm);
  asm.load(16, 'r1', 'r7', 12).jumpIf('r1', '==', wire16(TYPE_IPV6), 'ipv6');
  flowInstructions(asm, flows, 4, 'pass');
  asm.jump('pass').label('ipv6');
  flowInstructions(asm, flows, 6, 'pass');
  return asm.label('pass').mov('r0', XDP_PASS).exit().assemble();
}

/** A program that redirects every frame, for tests and benchmarks. */
export function interceptAllProgram(xsks: number): Uint8Array {
  return redirect(new Assembler().mov('r6', 'r1'), xsks).assemble();
}

/** A program that passes every frame, to find out whether XDP works on an interface. */
export function passAllProgram(): Uint8Array {
  return new Assembler().mov('r0', XDP_PASS).exit().assemble();
}

/** Sets r6 to the context, r7 to the frame, r8 to its end. A frame below 34 bytes is passed. */
function begin(asm: Assembler): void {
  asm.mov('r6', 'r1').load(32, 'r7', 'r6', CONTEXT.data).load(32, 'r8', 'r6', CONTEXT.dataEnd);
  asm
    .mov('r1', 'r7')
    .add('r1', HEADER + 20)
    .jumpIf('r1', '>', 'r8', 'pass');
}

/** Redirects the frame to the socket of its queue; passes it when there is none. */
function redirect(asm: Assembler, xsks: number): Assembler {
  asm.label('redirect').load(32, 'r2', 'r6', CONTEXT.queue).map('r1', xsks).mov('r3', XDP_PASS);
  return asm.call(Call.redirectMap).exit();
}

/** Jumps to `other` when the frame is not for the MAC address of the interface. */
function checkMac(asm: Assembler, { protocols }: InterceptMapFds, other: string): void {
  asm.store(32, 'r10', INDEX, OWN_MAC);
  lookIndex(asm, INDEX, protocols, 'pass');
  asm.load(32, 'r1', 'r7', 0).load(32, 'r2', 'r0', 0).jumpIf('r1', '!=', 'r2', other);
  asm.load(16, 'r1', 'r7', 4).load(16, 'r2', 'r0', 4).jumpIf('r1', '!=', 'r2', other);
}

/** Sets r9 to the transport header. Writes protocol and fragment flag to the stack. */
function ipv4(asm: Assembler): void {
  asm.load(8, 'r1', 'r7', HEADER).mov('r2', 'r1').and('r2', 0xf0).jumpIf('r2', '!=', 0x40, 'pass');
  asm.and('r1', 15).lsh('r1', 2).jumpIf('r1', '<', 20, 'pass');
  asm.mov('r9', 'r7').add('r9', 'r1').add('r9', HEADER);
  asm.load(8, 'r1', 'r7', HEADER + 9).store(32, 'r10', PROTOCOL, 'r1');
  asm.store(32, 'r10', FRAGMENTED, 0);
  asm
    .load(16, 'r1', 'r7', HEADER + 6)
    .and('r1', wire16(0x3fff))
    .jumpIf('r1', '==', 0, 'whole4');
  asm.store(32, 'r10', FRAGMENTED, FRAGMENT).label('whole4');
}

/**
 * The same for IPv6, behind its extension headers. The protocol of a fragment is the next header of
 * its fragment header.
 */
function ipv6(asm: Assembler): void {
  asm
    .mov('r9', 'r7')
    .add('r9', HEADER + 40)
    .jumpIf('r9', '>', 'r8', 'pass');
  asm.store(32, 'r10', FRAGMENTED, 0).load(8, 'r1', 'r7', HEADER + 6);
  for (let i = 0; i < EXTENSION_HEADERS; i++) extension(asm, `ext${i}`, `ext${i + 1}`);
  asm.label(`ext${EXTENSION_HEADERS}`);
  for (const header of [HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION])
    asm.jumpIf('r1', '==', header, 'pass');
  asm.label('ipv6Done').store(32, 'r10', PROTOCOL, 'r1');
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
  asm.jumpIf('r2', '==', 0, next).store(32, 'r10', FRAGMENTED, FRAGMENT).jump('ipv6Done');
}

/**
 * Passes the frame when it ends less than `bytes` behind r9: the verifier wants the check, the
 * stack may answer.
 */
function checkBytes(asm: Assembler, bytes: number): Assembler {
  return asm.mov('r2', 'r9').add('r2', bytes).jumpIf('r2', '>', 'r8', 'pass');
}

/**
 * Writes the ports to the stack: in network order for the port table, in host order for the rule
 * bits.
 */
function transport(asm: Assembler, family: 4 | 6, maps: InterceptMapFds): void {
  const done = `match${family}`;
  asm.store(32, 'r10', SPORT, 0).store(32, 'r10', DPORT, 0);
  asm.store(32, 'r10', SPORT_INDEX, NO_PORT).store(32, 'r10', DPORT_INDEX, NO_PORT);
  asm.load(32, 'r1', 'r10', FRAGMENTED).jumpIf('r1', '!=', 0, done).load(32, 'r1', 'r10', PROTOCOL);
  for (const protocol of WITH_PORTS) asm.jumpIf('r1', '==', protocol, `ports${family}`);
  asm.jumpIf('r1', '!=', ICMP[family], done);
  icmp(asm, family, maps, done);
  asm.label(`ports${family}`);
  checkBytes(asm, 4);
  for (const [offset, raw, index] of [
    [0, SPORT, SPORT_INDEX],
    [2, DPORT, DPORT_INDEX],
  ] as const)
    asm.load(16, 'r1', 'r9', offset).store(32, 'r10', raw, 'r1').swap('r1', 16).store(32, 'r10', index, 'r1');
  asm.label(done);
}

function icmp(asm: Assembler, family: 4 | 6, maps: InterceptMapFds, done: string): void {
  checkBytes(asm, 8).load(8, 'r1', 'r9', 0);
  for (const type of family === 4 ? ICMP_ERRORS : ICMP6_ERRORS) asm.jumpIf('r1', '==', type, `error${family}`);
  if (family === 6) {
    asm.jumpIf('r1', '!=', NEIGHBOUR_SOLICITATION, done);
    checkBytes(asm, 24).add('r9', 8);
    look(asm, 'dst6', maps, 'r9', 0, done).load(32, 'r1', 'r0', 0).jumpIf('r1', '&', ARP_TARGET, 'redirect').jump(done);
  } else asm.jump(done);
  asm.label(`error${family}`).store(32, 'r10', INDEX, family === 4 ? ICMP_ERRORS_4 : ICMP_ERRORS_6);
  if (family === 6) asm.load(32, 'r1', 'r10', MULTICAST).jumpIf('r1', '!=', 0, 'pass');
  lookIndex(asm, INDEX, maps.protocols, done).load(64, 'r1', 'r0', 0).jumpIf('r1', '!=', 0, 'redirect').jump(done);
}

/** Matches destination, then source, then rule bits, which r9 collects. */
function match(asm: Assembler, family: 4 | 6, maps: InterceptMapFds): void {
  const [dst, src, from, to] = family === 4 ? (['dst4', 'src4', 26, 30] as const) : (['dst6', 'src6', 22, 38] as const);
  matchSide(asm, dst, maps, to, DPORT);
  asm.mov('r9', 'r5');
  matchSide(asm, src, maps, from, SPORT);
  asm.and('r9', 'r5').jumpIf('r9', '==', 0, 'pass');
  for (const [index, map] of [
    [PROTOCOL, maps.protocols],
    [DPORT_INDEX, maps.dports],
    [SPORT_INDEX, maps.sports],
  ] as const)
    lookIndex(asm, index, map, 'pass').load(64, 'r1', 'r0', 0).and('r9', 'r1').jumpIf('r9', '==', 0, 'pass');
  asm.jump('redirect');
}

/**
 * Redirects by the address at `offset` of the frame, alone or with its port. Else r5 has its rule
 * bits.
 */
function matchSide(asm: Assembler, side: Side, maps: InterceptMapFds, offset: number, port: number): void {
  look(asm, side, maps, 'r7', offset, 'pass').load(32, 'r1', 'r0', 0).load(64, 'r5', 'r0', 8);
  asm.jumpIf('r1', '&', WHOLE, 'redirect').jumpIf('r1', '&', PORTS, `${side}Ports`).jump(`${side}Done`);
  asm.label(`${side}Ports`).store(64, 'r10', TRIE_KEY, 'r5');
  matchFragment(asm, side);
  portKey(asm, side, offset, port);
  asm.load(16, 'r1', 'r10', KEY.port).jumpIf('r1', '==', 0, `${side}Any`);
  lookPort(asm, maps).jumpIf('r0', '!=', 0, 'redirect').store(16, 'r10', KEY.port, 0);
  asm.label(`${side}Any`);
  lookPort(asm, maps).jumpIf('r0', '!=', 0, 'redirect').load(64, 'r5', 'r10', TRIE_KEY).label(`${side}Done`);
}

/** Redirects a fragment whose protocol has its bit in the trie's value at r0. */
function matchFragment(asm: Assembler, side: Side): void {
  asm.load(32, 'r1', 'r10', FRAGMENTED).jumpIf('r1', '==', 0, `${side}Whole`);
  asm.load(32, 'r1', 'r10', PROTOCOL).load(32, 'r2', 'r0', 4);
  for (const [bit, protocol] of FRAGMENT_BITS.entries())
    asm
      .jumpIf('r1', '!=', protocol, `${side}Not${bit}`)
      .jumpIf('r2', '&', 1 << bit, 'redirect')
      .label(`${side}Not${bit}`);
  asm.label(`${side}Whole`);
}

function portKey(asm: Assembler, side: Side, offset: number, port: number): void {
  const words = side.endsWith('4') ? 1 : 4;
  for (let i = 0; i < 4; i++)
    if (i < words) asm.load(32, 'r1', 'r7', offset + 4 * i).store(32, 'r10', PORT_KEY + 4 * i, 'r1');
    else asm.store(32, 'r10', PORT_KEY + 4 * i, 0);
  asm.load(32, 'r1', 'r10', port).store(16, 'r10', KEY.port, 'r1');
  asm.load(32, 'r1', 'r10', PROTOCOL).store(8, 'r10', KEY.protocol, 'r1');
  asm.load(32, 'r1', 'r10', FRAGMENTED).or('r1', SIDES.indexOf(side)).store(8, 'r10', KEY.side, 'r1');
}

function lookPort(asm: Assembler, { ports }: InterceptMapFds): Assembler {
  return asm.map('r1', ports).mov('r2', 'r10').add('r2', PORT_KEY).call(Call.mapLookup);
}

/**
 * Sets r0 to the value of the trie for the address at base + offset; jumps to `nothing` when there
 * is none.
 */
function look(
  asm: Assembler,
  side: Side,
  maps: InterceptMapFds,
  base: 'r7' | 'r9',
  offset: number,
  nothing: string,
): Assembler {
  const words = side.endsWith('4') ? 1 : 4;
  asm.store(32, 'r10', TRIE_KEY, 32 * words);
  for (let i = 0; i < words; i++) asm.load(32, 'r1', base, offset + 4 * i).store(32, 'r10', TRIE_KEY + 4 + 4 * i, 'r1');
  asm.map('r1', maps[side]).mov('r2', 'r10').add('r2', TRIE_KEY).call(Call.mapLookup);
  return asm.jumpIf('r0', '==', 0, nothing);
}

/**
 * Sets r0 to the value of an array at the index on the stack; jumps to `nothing` when there is
 * none.
 */
function lookIndex(asm: Assembler, index: number, map: number, nothing: string): Assembler {
  asm.map('r1', map).mov('r2', 'r10').add('r2', index).call(Call.mapLookup);
  return asm.jumpIf('r0', '==', 0, nothing);
}

/**
 * Redirects ARP requests (RFC 826, IPv4 over Ethernet) for an address that the director answers
 * for.
 */
function arp(asm: Assembler, maps: InterceptMapFds): void {
  asm
    .label('arp')
    .mov('r1', 'r7')
    .add('r1', HEADER + 28)
    .jumpIf('r1', '>', 'r8', 'pass');
  for (const [offset, value] of [
    [14, 1],
    [16, TYPE_IPV4],
    [18, 0x0604],
    [20, 1],
  ] as const)
    asm.load(16, 'r1', 'r7', offset).jumpIf('r1', '!=', wire16(value), 'pass');
  look(asm, 'dst4', maps, 'r7', 38, 'pass').load(32, 'r1', 'r0', 0).jumpIf('r1', '&', ARP_TARGET, 'redirect');
}
