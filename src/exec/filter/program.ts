/**
 * Compiles rules to classic BPF over struct seccomp_data (seccomp(2)): nr at 0, arch at 4, six
 * arguments of 8 bytes from 16. Little endian: the low half of an argument comes first.
 *
 *   arch ≠ ours → allow
 *   for each rule:   nr ≠ its number ─┐
 *                    range fails ─────┤
 *                    notify           ▼ next rule
 *   allow
 */
import { type Architecture, AUDIT_ARCH, NUMBERS } from './numbers.js';
import type { Range, Rule } from './rules.js';

/** struct sock_filter. */
interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_EQUAL = 0x35;
const RETURN = 0x06;
const RET_ALLOW = 0x7fff0000;
const RET_USER_NOTIF = 0x7fc00000;

const load = (offset: number): Instruction => ({ code: LOAD, jt: 0, jf: 0, k: offset });
const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({ code, jt, jf, k });
const ret = (action: number): Instruction => ({ code: RETURN, jt: 0, jf: 0, k: action });

/** The program as bytes, 8 for each instruction. */
export function compile(rules: readonly Rule[], architecture: Architecture): Uint8Array {
  const all = [
    load(4),
    jump(JUMP_EQUAL, AUDIT_ARCH[architecture], 1, 0),
    ret(RET_ALLOW),
    ...rules.flatMap((rule) => compileRule(rule, architecture)),
    ret(RET_ALLOW),
  ];
  return encode(all);
}

/** Nothing for a call that the architecture does not have. */
function compileRule({ call, ranges }: Rule, architecture: Architecture): Instruction[] {
  const number = NUMBERS[architecture][call];
  if (number === undefined) return [];
  const size = 3 * ranges.length + 1;
  const body = ranges.flatMap((range, i) => compileRange(range, size - 3 * i));
  return [load(0), jump(JUMP_EQUAL, number, 0, size), ...body, ret(RET_USER_NOTIF)];
}

/** `left`: instructions of the rule from here on. */
function compileRange({ argument, from, end }: Range, left: number): Instruction[] {
  return [
    load(16 + 8 * argument),
    jump(JUMP_GREATER_EQUAL, from, 0, left - 2),
    jump(JUMP_GREATER_EQUAL, end, left - 3, 0),
  ];
}

function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * instructions.length));
  for (const [i, { code, jt, jf, k }] of instructions.entries()) {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, jt);
    view.setUint8(8 * i + 3, jf);
    view.setUint32(8 * i + 4, k, true);
  }
  return new Uint8Array(view.buffer);
}
