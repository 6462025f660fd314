/** The CPUs on which threads may run (sched_setaffinity(2), sched_getaffinity(2)). */
import { readdirSync } from 'node:fs';
import { check, libc } from './libc.js';

const setMask = libc.func('int sched_setaffinity(int, size_t, void*)') as (
  thread: number,
  bytes: number,
  mask: Uint8Array,
) => number;
const getMask = libc.func('int sched_getaffinity(int, size_t, void*)') as (
  thread: number,
  bytes: number,
  mask: Uint8Array,
) => number;

/** A mask has a bit for each of 8192 CPUs, the most that Linux is built for. */
const BYTES = 1024;

/** The CPUs on which the calling thread may run. Throws a SystemError. */
export function allowedCpus(): number[] {
  const mask = new Uint8Array(BYTES);
  check(getMask(0, BYTES, mask), 'sched_getaffinity');
  return Array.from({ length: BYTES * 8 }, (_, cpu) => cpu).filter((cpu) => (mask[cpu >> 3]! & (1 << (cpu & 7))) !== 0);
}

/**
 * The calling thread runs on `cpu` only, and so do threads that it starts. Returns false where the
 * CPU does not exist, is offline, or is not one of the process's cpuset.
 */
export function runOn(cpu: number): boolean {
  return setMask(0, BYTES, maskOf([cpu])) === 0;
}

/**
 * All threads that the process has now leave `cpus`. Returns false, and changes nothing, where no
 * other CPU is allowed.
 */
export function leaveCpus(cpus: readonly number[]): boolean {
  const others = allowedCpus().filter((cpu) => !cpus.includes(cpu));
  if (others.length === 0) return false;
  const mask = maskOf(others);
  // A thread that has ended meanwhile has no CPUs.
  for (const thread of readdirSync('/proc/self/task')) setMask(Number(thread), BYTES, mask);
  return true;
}

function maskOf(cpus: readonly number[]): Uint8Array {
  const mask = new Uint8Array(BYTES);
  for (const cpu of cpus) mask[cpu >> 3]! |= 1 << (cpu & 7);
  return mask;
}
