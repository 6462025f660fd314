/**
 * The part of the XDP program that decides whether the maps select a packet whose IP header was
 * read: `transport`, an ICMP error or a neighbour solicitation, else its ports; then `match`, its
 * addresses with these ports and the rule bits. `arp` decides for ARP.
 */
import { HEADER, TYPE_IPV4 } from '../../wire/ethernet.js';
import { NEIGHBOUR_SOLICITATION } from '../../wire/icmp6.js';
import { ICMP as ICMP4 } from '../../wire/ipv4.js';
import { ICMP6 } from '../../wire/ipv6.js';
import type { Assembler } from '../bpf/assembler.js';
import { wire16 } from '../flow/frame.js';
import { ICMP_ERRORS, ICMP6_ERRORS } from '../intercept/rule.js';
import {
  ARP_TARGET,
  FRAGMENT_BITS,
  ICMP_ERRORS_4,
  ICMP_ERRORS_6,
  type InterceptMapFds,
  NO_PORT,
  PORTS,
  type Side,
  WHOLE,
  WITH_PORTS,
} from './layout.js';
import { look, lookIndex, lookPort, PortKey, portKey, Stack } from './look-up.js';
import { checkBytes } from './read-headers.js';

const ICMP = { 4: ICMP4, 6: ICMP6 } as const;

/**
 * Writes the ports to the stack: in network order for the port table, in host order for the rule
 * bits.
 */
export function transport(asm: Assembler, family: 4 | 6, maps: InterceptMapFds): void {
  const done = `match${family}`;
  asm.store(32, 'r10', Stack.sport, 0).store(32, 'r10', Stack.dport, 0);
  asm.store(32, 'r10', Stack.sportIndex, NO_PORT).store(32, 'r10', Stack.dportIndex, NO_PORT);
  asm.load(32, 'r1', 'r10', Stack.fragmented).jumpIf('r1', '!=', 0, done).load(32, 'r1', 'r10', Stack.protocol);
  for (const protocol of WITH_PORTS) asm.jumpIf('r1', '==', protocol, `ports${family}`);
  asm.jumpIf('r1', '!=', ICMP[family], done);
  icmp(asm, family, maps, done);
  asm.label(`ports${family}`);
  checkBytes(asm, 4);
  for (const [offset, raw, index] of [
    [0, Stack.sport, Stack.sportIndex],
    [2, Stack.dport, Stack.dportIndex],
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
  asm.label(`error${family}`).store(32, 'r10', Stack.index, family === 4 ? ICMP_ERRORS_4 : ICMP_ERRORS_6);
  if (family === 6) asm.load(32, 'r1', 'r10', Stack.multicast).jumpIf('r1', '!=', 0, 'pass');
  lookIndex(asm, Stack.index, maps.protocols, done)
    .load(64, 'r1', 'r0', 0)
    .jumpIf('r1', '!=', 0, 'redirect')
    .jump(done);
}

/** Matches destination, then source, then rule bits, which r9 collects. */
export function match(asm: Assembler, family: 4 | 6, maps: InterceptMapFds): void {
  const [dst, src, from, to] = family === 4 ? (['dst4', 'src4', 26, 30] as const) : (['dst6', 'src6', 22, 38] as const);
  matchSide(asm, dst, maps, to, Stack.dport);
  asm.mov('r9', 'r5');
  matchSide(asm, src, maps, from, Stack.sport);
  asm.and('r9', 'r5').jumpIf('r9', '==', 0, 'pass');
  for (const [index, map] of [
    [Stack.protocol, maps.protocols],
    [Stack.dportIndex, maps.dports],
    [Stack.sportIndex, maps.sports],
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
  asm.label(`${side}Ports`).store(64, 'r10', Stack.trieKey, 'r5');
  matchFragment(asm, side);
  portKey(asm, side, offset, port);
  asm.load(16, 'r1', 'r10', PortKey.port).jumpIf('r1', '==', 0, `${side}Any`);
  lookPort(asm, maps).jumpIf('r0', '!=', 0, 'redirect').store(16, 'r10', PortKey.port, 0);
  asm.label(`${side}Any`);
  lookPort(asm, maps).jumpIf('r0', '!=', 0, 'redirect').load(64, 'r5', 'r10', Stack.trieKey).label(`${side}Done`);
}

/** Redirects a fragment whose protocol has its bit in the trie's value at r0. */
function matchFragment(asm: Assembler, side: Side): void {
  asm.load(32, 'r1', 'r10', Stack.fragmented).jumpIf('r1', '==', 0, `${side}Whole`);
  asm.load(32, 'r1', 'r10', Stack.protocol).load(32, 'r2', 'r0', 4);
  for (const [bit, protocol] of FRAGMENT_BITS.entries())
    asm
      .jumpIf('r1', '!=', protocol, `${side}Not${bit}`)
      .jumpIf('r2', '&', 1 << bit, 'redirect')
      .label(`${side}Not${bit}`);
  asm.label(`${side}Whole`);
}

/**
 * Redirects ARP requests (RFC 826, IPv4 over Ethernet) for an address that the director answers
 * for.
 */
export function arp(asm: Assembler, maps: InterceptMapFds): void {
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
