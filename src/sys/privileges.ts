/**
 * Capabilities of this process (capabilities(7)), and the change to an unprivileged user.
 *
 * A capability set belongs to a thread. Node.js has threads from its first moment, and capset(2)
 * does not reach them. So the change ends with execve(2): the process keeps its id and its standard
 * streams, all threads end, and the new ones begin with the ambient set.
 *
 *     root ─ bounding set ─ setuid ─ capset ─ ambient set ─ no_new_privs ─ execve ─> the user, with `names` only
 */
import { capget, capset, check, execve, fcntl, prctl, SystemError, setrlimit } from './libc.js';
import type { UserIds } from './user.js';

/** Numbers of linux/capability.h. */
const NUMBERS = {
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_IPC_LOCK: 14,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;
export type Capability = keyof typeof NUMBERS;

const HEADER = Uint32Array.of(0x20080522, 0); // _LINUX_CAPABILITY_VERSION_3, this thread
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_READ = 23;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const AMBIENT_RAISE = 2;
const AMBIENT_LOWER = 3;
const RLIMIT_MEMLOCK = 8;
const F_SETFD = 2;
const STREAMS = [0, 1, 2];

/** The three sets of the calling thread. */
interface Sets {
  effective: bigint;
  permitted: bigint;
  inheritable: bigint;
}

/** struct __user_cap_data_struct twice: effective, permitted, inheritable; low words first. */
function readSets(): Sets {
  const words = new Uint32Array(6);
  check(capget(HEADER, words), 'capget');
  const [effective, permitted, inheritable] = [0, 1, 2].map((i) => BigInt(words[i]!) | (BigInt(words[i + 3]!) << 32n));
  return { effective: effective!, permitted: permitted!, inheritable: inheritable! };
}

function writeSets({ effective, permitted, inheritable }: Sets): void {
  const sets = [effective, permitted, inheritable];
  const words = [...sets.map((set) => set & 0xffff_ffffn), ...sets.map((set) => set >> 32n)];
  check(capset(HEADER, Uint32Array.from(words, Number)), 'capset');
}

function maskOf(names: readonly Capability[]): bigint {
  return names.reduce((mask, name) => mask | (1n << BigInt(NUMBERS[name])), 0n);
}

/** Those of `names` that the calling thread may use. */
export function capabilitiesAmong(names: readonly Capability[]): Capability[] {
  const { effective } = readSets();
  return names.filter((name) => (effective & maskOf([name])) !== 0n);
}

/**
 * Starts this program again as the user `name`, with the capabilities `kept` of those that it has,
 * with the same arguments and environment. It returns only by an exception: SystemError. The
 * process must be root.
 */
export function becomeUser(name: string, { uid, gid }: UserIds, kept: readonly Capability[]): never {
  // AF_XDP memory counts against this limit without CAP_IPC_LOCK. Not every root may raise it.
  setrlimit(RLIMIT_MEMLOCK, new BigUint64Array(2).fill(2n ** 64n - 1n));
  dropBoundingSet(kept);
  check(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), 'PR_SET_KEEPCAPS');
  changeIds(name, uid, gid);
  const all = readSets().permitted & maskOf(kept);
  writeSets({ effective: all, permitted: all, inheritable: all });
  for (const one of capabilitiesAmong(kept)) check(ambient(AMBIENT_RAISE, NUMBERS[one]), 'PR_CAP_AMBIENT_RAISE');
  refuseNewPrivileges();
  return again();
}

/** The C library changes the ids of all threads. */
function changeIds(name: string, uid: number, gid: number): void {
  try {
    // The groups of the user: the director may then give its sockets to them.
    (process as NodeJS.Process & { initgroups(user: string, group: number): void }).initgroups(name, gid);
    process.setgid!(gid);
    process.setuid!(uid);
  } catch (error) {
    const { code = 'EPERM', syscall = 'setuid' } = error as NodeJS.ErrnoException;
    throw new Error(`${syscall}: ${code}`);
  }
}

/** Node.js has marked the standard streams as close-on-exec. */
function again(): never {
  for (const fd of STREAMS) fcntl(fd, F_SETFD, 0);
  const words = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const environment = Object.entries(process.env).map(([key, value]) => `${key}=${value}`);
  check(execve(process.execPath, [...words, null], [...environment, null]), `execve ${process.execPath}`);
  throw new SystemError('execve', 0);
}

/**
 * Programs that this process starts get the capabilities `names` and no others; the process itself
 * keeps what it has. For a process that is not root.
 */
export function limitChildren(names: readonly Capability[]): void {
  const sets = readSets();
  for (const name of Object.keys(NUMBERS) as Capability[])
    if (!names.includes(name)) check(ambient(AMBIENT_LOWER, NUMBERS[name]), 'PR_CAP_AMBIENT_LOWER');
  writeSets({ ...sets, inheritable: sets.inheritable & maskOf(names) });
  refuseNewPrivileges();
}

/** Undoes `limitChildren`: programs that this process starts get all that it has of `names`. */
export function endowChildren(names: readonly Capability[]): void {
  const sets = readSets();
  writeSets({ ...sets, inheritable: sets.inheritable | (sets.permitted & maskOf(names)) });
  for (const name of capabilitiesAmong(names)) check(ambient(AMBIENT_RAISE, NUMBERS[name]), 'PR_CAP_AMBIENT_RAISE');
}

/** Setuid programs and file capabilities no longer give anything. */
function refuseNewPrivileges(): void {
  check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 'PR_SET_NO_NEW_PRIVS');
}

function ambient(operation: number, number: number): number {
  return prctl(PR_CAP_AMBIENT, operation, number, 0, 0);
}

/**
 * Removes all capabilities but `kept` from the bounding set. The kernel says where the set ends.
 */
function dropBoundingSet(kept: readonly Capability[]): void {
  const numbers = kept.map((name): number => NUMBERS[name]);
  for (let i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
    if (!numbers.includes(i)) check(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), 'PR_CAPBSET_DROP');
}
