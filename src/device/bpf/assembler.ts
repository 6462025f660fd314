/**
 * Assembler: a small assembler for eBPF (RFC 9669): 64-bit arithmetic, memory, jumps to labels,
 * calls of kernel helpers.
 *
 *     new Assembler().mov('r0', 2).jumpIf('r1', '==', 0, 'out').mov('r0', 4).label('out').exit()
 *
 *     instruction:  | opcode 8 | src 4 dst 4 | offset 16 | immediate 32 |      little endian
 *
 * r0 is the result; r1–r5 are arguments, and lost after a call; r6–r9 are kept; r10 is the end of
 * the stack of 512 bytes, which grows down.
 */
export type Register = 'r0' | 'r1' | 'r2' | 'r3' | 'r4' | 'r5' | 'r6' | 'r7' | 'r8' | 'r9' | 'r10';
export type Size = 8 | 16 | 32 | 64;

/** Unsigned comparisons; `&` is true when the operands have a common bit. */
const COMPARE = { '==': 0x10, '>': 0x20, '>=': 0x30, '&': 0x40, '!=': 0x50, '<': 0xa0, '<=': 0xb0 } as const;
export type Comparison = keyof typeof COMPARE;

const ARITHMETIC = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  xor: 0xa0,
  mov: 0xb0,
} as const;
type Arithmetic = keyof typeof ARITHMETIC;

const SIZES: Record<Size, number> = { 8: 0x10, 16: 0x08, 32: 0x00, 64: 0x18 };
const LDX = 0x61;
const ST = 0x62;
const STX = 0x63;
const ATOMIC = 0xdb;
const ATOMIC_32 = 0xc3;
const ALU64 = 0x07;
const JMP = 0x05;
const JMP32 = 0x06;
const SOURCE_REGISTER = 0x08;
const LOAD_IMMEDIATE = 0x18;
const PSEUDO_MAP_FD = 1;
const TO_BIG_ENDIAN = 0xdc;
const CALL = 0x85;
const EXIT = 0x95;

/** Numbers of kernel helpers (enum bpf_func_id of linux/bpf.h), for `call`. */
export const Call = {
  mapLookup: 1,
  ktime: 5,
  cpu: 8,
  l4CsumReplace: 11,
  redirect: 23,
  loadBytes: 26,
  csumDiff: 28,
  pullData: 39,
  adjustHead: 44,
  adjustRoom: 50,
  redirectMap: 51,
  loadBytesRelative: 68,
  ktimeCoarse: 160,
} as const;

interface Instruction {
  opcode: number;
  dst: number;
  src: number;
  offset: number;
  immediate: number;
  target?: string;
}

export class Assembler {
  private readonly instructions: Instruction[] = [];
  private readonly labels = new Map<string, number>();

  /** Names the next instruction. Throws an Error when the name is used twice. */
  label(name: string): this {
    if (this.labels.has(name)) throw new Error(`label ${name} is used twice`);
    this.labels.set(name, this.instructions.length);
    return this;
  }

  mov(dst: Register, value: Register | number): this {
    return this.arithmetic('mov', dst, value);
  }
  add(dst: Register, value: Register | number): this {
    return this.arithmetic('add', dst, value);
  }
  sub(dst: Register, value: Register | number): this {
    return this.arithmetic('sub', dst, value);
  }
  mul(dst: Register, value: Register | number): this {
    return this.arithmetic('mul', dst, value);
  }
  /** Unsigned; 0 when the divisor is 0. */
  div(dst: Register, value: Register | number): this {
    return this.arithmetic('div', dst, value);
  }
  and(dst: Register, value: Register | number): this {
    return this.arithmetic('and', dst, value);
  }
  or(dst: Register, value: Register | number): this {
    return this.arithmetic('or', dst, value);
  }
  lsh(dst: Register, value: Register | number): this {
    return this.arithmetic('lsh', dst, value);
  }
  xor(dst: Register, value: Register | number): this {
    return this.arithmetic('xor', dst, value);
  }
  rsh(dst: Register, value: Register | number): this {
    return this.arithmetic('rsh', dst, value);
  }

  /**
   * Converts the low `bits` between network order and the host order of a little-endian machine;
   * clears the other bits.
   */
  swap(dst: Register, bits: 16 | 32): this {
    return this.put(TO_BIG_ENDIAN, dst, 0, 0, bits);
  }

  /** dst = memory at base + offset, zero-extended. */
  load(size: Size, dst: Register, base: Register, offset: number): this {
    return this.put(LDX | SIZES[size], dst, number(base), offset, 0);
  }

  /** Memory at base + offset = value. */
  store(size: Size, base: Register, offset: number, value: Register | number): this {
    if (typeof value === 'number') return this.put(ST | SIZES[size], base, 0, offset, value);
    return this.put(STX | SIZES[size], base, number(value), offset, 0);
  }

  /** Memory at base + offset += value: 64 bits, atomic. */
  addTo(base: Register, offset: number, value: Register): this {
    return this.put(ATOMIC, base, number(value), offset, 0);
  }
  /** The same with 32 bits. */
  addTo32(base: Register, offset: number, value: Register): this {
    return this.put(ATOMIC_32, base, number(value), offset, 0);
  }

  jump(target: string): this {
    return this.put(JMP, 'r0', 0, 0, 0, target);
  }

  /** Compares 64 bits. An immediate is sign-extended, so words above 2^31 need `jumpIf32`. */
  jumpIf(a: Register, comparison: Comparison, b: Register | number, target: string): this {
    return this.compare(JMP, a, comparison, b, target);
  }
  jumpIf32(a: Register, comparison: Comparison, b: Register | number, target: string): this {
    return this.compare(JMP32, a, comparison, b, target);
  }

  /** dst = the map with file descriptor `fd`. Takes the room of two instructions. */
  map(dst: Register, fd: number): this {
    return this.put(LOAD_IMMEDIATE, dst, PSEUDO_MAP_FD, 0, fd).put(0, 'r0', 0, 0, 0);
  }

  /** Calls a kernel helper by its number; the result is in r0. */
  call(helper: number): this {
    return this.put(CALL, 'r0', 0, 0, helper);
  }

  exit(): this {
    return this.put(EXIT, 'r0', 0, 0, 0);
  }

  /** The program as bytes. Throws an Error for a jump to an unknown label. */
  assemble(): Uint8Array {
    const view = new DataView(new ArrayBuffer(8 * this.instructions.length));
    this.instructions.forEach((instruction, i) => {
      const { opcode, dst, src, immediate } = instruction;
      view.setUint8(8 * i, opcode);
      view.setUint8(8 * i + 1, dst | (src << 4));
      view.setInt16(8 * i + 2, this.offsetOf(instruction, i), true);
      view.setInt32(8 * i + 4, immediate, true);
    });
    return new Uint8Array(view.buffer);
  }

  private offsetOf({ offset, target }: Instruction, at: number): number {
    if (target === undefined) return offset;
    const to = this.labels.get(target);
    if (to === undefined) throw new Error(`no label ${target}`);
    return to - at - 1;
  }

  private arithmetic(operation: Arithmetic, dst: Register, value: Register | number): this {
    const opcode = ALU64 | ARITHMETIC[operation];
    if (typeof value === 'number') return this.put(opcode, dst, 0, 0, value);
    return this.put(opcode | SOURCE_REGISTER, dst, number(value), 0, 0);
  }

  private compare(kind: number, a: Register, by: Comparison, b: Register | number, target: string): this {
    const opcode = kind | COMPARE[by];
    if (typeof b === 'number') return this.put(opcode, a, 0, 0, b, target);
    return this.put(opcode | SOURCE_REGISTER, a, number(b), 0, 0, target);
  }

  private put(opcode: number, dst: Register, src: number, offset: number, immediate: number, target?: string): this {
    const instruction = { opcode, dst: number(dst), src, offset, immediate };
    this.instructions.push(target === undefined ? instruction : { ...instruction, target });
    return this;
  }
}

function number(register: Register): number {
  return Number(register.slice(1));
}
