/**
 * Look-ups of the XDP program in its maps, and its stack, where their keys are built in place.
 *
 *     look ──────► trie of addresses    key: prefix length, address
 *     lookPort ──► hash of ports        key: address, port, protocol, side and fragment flag
 *     lookIndex ─► array                key: index
 */
import { type Assembler, Call } from '../bpf/assembler.js';
import { type InterceptMapFds, SIDES, type Side } from './layout.js';

/**
 * Offsets in the stack of the program, below r10: keys of look-ups, built in place; protocol and
 * ports of the packet, in network order; the ports in host order, indices of the arrays; FRAGMENT
 * or 0; whether the frame is multicast. Those of flow/frame.ts are below.
 */
export const Stack = {
  index: -4,
  trieKey: -24,
  portKey: -48,
  protocol: -52,
  sport: -56,
  dport: -60,
  sportIndex: -64,
  dportIndex: -68,
  fragmented: -72,
  multicast: -76,
} as const;

/** Fields of a key of the port table (layout.ts). */
export const PortKey = {
  port: Stack.portKey + 16,
  protocol: Stack.portKey + 18,
  side: Stack.portKey + 19,
} as const;

/**
 * Builds the key of the port table. `offset`: of the address, in the frame; `port`: of the port, on
 * the stack.
 */
export function portKey(asm: Assembler, side: Side, offset: number, port: number): void {
  const words = side.endsWith('4') ? 1 : 4;
  for (let i = 0; i < 4; i++)
    if (i < words) asm.load(32, 'r1', 'r7', offset + 4 * i).store(32, 'r10', Stack.portKey + 4 * i, 'r1');
    else asm.store(32, 'r10', Stack.portKey + 4 * i, 0);
  asm.load(32, 'r1', 'r10', port).store(16, 'r10', PortKey.port, 'r1');
  asm.load(32, 'r1', 'r10', Stack.protocol).store(8, 'r10', PortKey.protocol, 'r1');
  asm.load(32, 'r1', 'r10', Stack.fragmented).or('r1', SIDES.indexOf(side)).store(8, 'r10', PortKey.side, 'r1');
}

/** Sets r0 to the entry of the port table for the key on the stack, or 0. */
export function lookPort(asm: Assembler, { ports }: InterceptMapFds): Assembler {
  return asm.map('r1', ports).mov('r2', 'r10').add('r2', Stack.portKey).call(Call.mapLookup);
}

/**
 * Sets r0 to the value of the trie for the address at base + offset; jumps to `nothing` when there
 * is none.
 */
export function look(
  asm: Assembler,
  side: Side,
  maps: InterceptMapFds,
  base: 'r7' | 'r9',
  offset: number,
  nothing: string,
): Assembler {
  const words = side.endsWith('4') ? 1 : 4;
  asm.store(32, 'r10', Stack.trieKey, 32 * words);
  for (let i = 0; i < words; i++)
    asm.load(32, 'r1', base, offset + 4 * i).store(32, 'r10', Stack.trieKey + 4 + 4 * i, 'r1');
  asm.map('r1', maps[side]).mov('r2', 'r10').add('r2', Stack.trieKey).call(Call.mapLookup);
  return asm.jumpIf('r0', '==', 0, nothing);
}

/**
 * Sets r0 to the value of an array at the index on the stack; jumps to `nothing` when there is
 * none.
 */
export function lookIndex(asm: Assembler, index: number, map: number, nothing: string): Assembler {
  asm.map('r1', map).mov('r2', 'r10').add('r2', index).call(Call.mapLookup);
  return asm.jumpIf('r0', '==', 0, nothing);
}
