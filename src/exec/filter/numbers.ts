/**
 * Numbers of the system calls that the filter stops, and of the architectures (linux/audit.h), for
 * x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) and arm64 (asm-generic/unistd.h).
 */
export type Architecture = 'x64' | 'arm64';

export const CALLS = [
  'socket',
  'sendto',
  'recvfrom',
  'sendmsg',
  'recvmsg',
  'setsockopt',
  'getsockopt',
  'openat',
  'open',
] as const;
export type CallName = (typeof CALLS)[number];

/** arm64 has no open(2). */
export const NUMBERS: Readonly<Record<Architecture, Readonly<Partial<Record<CallName, number>>>>> = {
  x64: {
    open: 2,
    socket: 41,
    sendto: 44,
    recvfrom: 45,
    sendmsg: 46,
    recvmsg: 47,
    setsockopt: 54,
    getsockopt: 55,
    openat: 257,
  },
  arm64: {
    openat: 56,
    socket: 198,
    sendto: 206,
    recvfrom: 207,
    setsockopt: 208,
    getsockopt: 209,
    sendmsg: 211,
    recvmsg: 212,
  },
};

/** AUDIT_ARCH_X86_64, AUDIT_ARCH_AARCH64. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** The name of a stopped call; undefined: it is none of ours. */
export function callName(architecture: Architecture, number: number): CallName | undefined {
  return CALLS.find((name) => NUMBERS[architecture][name] === number);
}

/** The architecture of this process. Throws an Error of one line. */
export function ownArchitecture(): Architecture {
  const { arch } = process;
  if (arch === 'x64' || arch === 'arm64') return arch;
  throw new Error(`exec: the filter has no system call numbers for ${arch}; it has those of x64 and arm64`);
}
