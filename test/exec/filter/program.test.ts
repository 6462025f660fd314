/** The filter's program, run by an interpreter of classic BPF, for both architectures. */
import { describe, expect, it } from 'vitest';
import { type Architecture, AUDIT_ARCH, CALLS, callName, NUMBERS } from '../../../src/exec/filter/numbers.js';
import { compile } from '../../../src/exec/filter/program.js';
import { type FilterOptions, rulesFor } from '../../../src/exec/filter/rules.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;

/** Runs a program over struct seccomp_data. Returns its action. */
function run(program: Uint8Array, data: DataView): number {
  const code = new DataView(program.buffer, program.byteOffset);
  for (let pc = 0, a = 0; ; pc++) {
    const [op, jt, jf] = [code.getUint16(8 * pc, true), code.getUint8(8 * pc + 2), code.getUint8(8 * pc + 3)];
    const k = code.getUint32(8 * pc + 4, true);
    if (op === 0x06) return k;
    if (op === 0x20) a = data.getUint32(k, true);
    else if (op === 0x15) pc += a === k ? jt : jf;
    else if (op === 0x35) pc += a >= k ? jt : jf;
    else throw new Error(`instruction ${op}`);
  }
}

const PLAIN: FilterOptions = { opens: 'plain', netlink: true, rawSockets: false };

describe.each(['x64', 'arm64'] as const)('on %s', (architecture) => {
  const stops = (call: number, args: readonly number[], options = PLAIN, arch = AUDIT_ARCH[architecture]) => {
    const data = new DataView(new ArrayBuffer(64));
    data.setUint32(0, call, true);
    data.setUint32(4, arch, true);
    for (const [i, one] of args.entries()) data.setBigUint64(16 + 8 * i, BigInt(one), true);
    const action = run(compile(rulesFor(options), architecture), data);
    expect([ALLOW, NOTIFY]).toContain(action);
    return action === NOTIFY;
  };
  const number = NUMBERS[architecture] as Required<(typeof NUMBERS)[Architecture]>;

  it.each([
    ['socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)', 'socket', [16, 3, 16], true],
    ['socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)', 'socket', [16, 3, 0], false],
    ['socket(AF_INET, SOCK_RAW, IPPROTO_RAW)', 'socket', [2, 3, 255], false],
    ['getsockopt(fd, IPPROTO_IP, IP_VS_SO_GET_VERSION)', 'getsockopt', [5, 0, 1152], true],
    ['setsockopt(fd, IPPROTO_IP, IP_VS_SO_SET_ZERO)', 'setsockopt', [5, 0, 1167], true],
    ['the option before', 'setsockopt', [5, 0, 1151], false],
    ['the option behind', 'setsockopt', [5, 0, 1168], false],
    ['the option of another level', 'setsockopt', [5, 1, 1152], false],
    ['sendto of an injected socket', 'sendto', [900], true],
    ['sendmsg of the last one', 'sendmsg', [1023], true],
    ['recvfrom of an injected socket', 'recvfrom', [1000], true],
    ['recvmsg below', 'recvmsg', [899], false],
    ['recvmsg above', 'recvmsg', [1024], false],
    ['openat(…, O_RDONLY)', 'openat', [0, 0, 0], true],
    ['openat(…, O_RDONLY | O_CLOEXEC)', 'openat', [0, 0, 0o2000000], false],
  ] as const)('%s', (_, call, args, expected) => expect(stops(number[call], args)).toBe(expected));

  it('stops what the options add', () => {
    expect(stops(number.socket, [2, 3, 255], { ...PLAIN, rawSockets: true })).toBe(true);
    expect(stops(number.openat, [0, 0, 0o2000000], { ...PLAIN, opens: 'every' })).toBe(true);
    expect(stops(number.openat, [0, 0, 0], { ...PLAIN, opens: 'none' })).toBe(false);
    expect(stops(number.socket, [16, 3, 16], { ...PLAIN, netlink: false })).toBe(false);
  });

  it('lets every other call pass, and calls of another architecture', () => {
    const ours = Object.values(NUMBERS[architecture]);
    for (let call = 0; call < 500; call++) if (!ours.includes(call)) expect(stops(call, [900, 0, 1152])).toBe(false);
    expect(stops(number.sendto, [900], PLAIN, 0x40000003)).toBe(false);
  });

  it('knows its calls by number', () => {
    for (const name of CALLS) {
      const here = NUMBERS[architecture][name];
      if (here !== undefined) expect(callName(architecture, here)).toBe(name);
    }
    expect(new Set(Object.values(NUMBERS[architecture])).size).toBe(Object.keys(NUMBERS[architecture]).length);
  });
});
