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
import { Assembler, Call } from '../bpf/assembler.js';
import { wire16 } from '../flow/frame.js';
import type { FlowMapFds } from '../flow/layout.js';
import { type FlowUse, flowInstructions } from '../flow/program.js';
import { type InterceptMapFds, OWN_MAC } from './layout.js';
import { lookIndex, Stack } from './look-up.js';
import { arp, match, transport } from './match.js';
import { ipv4, ipv6 } from './read-headers.js';

/** struct xdp_md: byte offsets. */
const CONTEXT = { data: 0, dataEnd: 4, queue: 16 } as const;

/** What a program intercepts: what these maps select, every frame, none. */
export type Intercepted = InterceptMapFds | 'all' | 'nothing';

/** The instructions of the program for what is intercepted. The rest as interceptProgram. */
export function xdpProgram(xsks: number, intercept: Intercepted, flows?: FlowMapFds): Uint8Array {
  if (intercept === 'nothing') return passAllProgram();
  if (intercept === 'all') return interceptAllProgram(xsks);
  return interceptProgram(intercept, xsks, flows && { fds: flows, completes: true });
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
  asm.label('ipv6').store(32, 'r10', Stack.multicast, 0);
  checkMac(asm, maps, 'multicast');
  if (flows !== undefined) flowInstructions(asm, flows, 6, 'pass');
  asm.jump('ipv6Header');
  asm.label('multicast').load(8, 'r1', 'r7', 0).and('r1', 1).store(32, 'r10', Stack.multicast, 'r1');
  asm.jumpIf('r1', '==', 0, 'pass').label('ipv6Header');
  ipv6(asm);
  transport(asm, 6, maps);
  asm.load(32, 'r1', 'r10', Stack.multicast).jumpIf('r1', '!=', 0, 'pass');
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
function interceptAllProgram(xsks: number): Uint8Array {
  return redirect(new Assembler().mov('r6', 'r1'), xsks).assemble();
}

/** A program that passes every frame, to find out whether XDP works on an interface. */
function passAllProgram(): Uint8Array {
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
  asm.store(32, 'r10', Stack.index, OWN_MAC);
  lookIndex(asm, Stack.index, protocols, 'pass');
  asm.load(32, 'r1', 'r7', 0).load(32, 'r2', 'r0', 0).jumpIf('r1', '!=', 'r2', other);
  asm.load(16, 'r1', 'r7', 4).load(16, 'r2', 'r0', 4).jumpIf('r1', '!=', 'r2', other);
}
