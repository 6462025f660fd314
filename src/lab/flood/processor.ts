/**
 * CPU usage: of the CPUs from /proc/stat, of a process from /proc/PID/stat. Times in ms, with the
 * kernel's resolution of 10 ms.
 */
import { readFileSync } from 'node:fs';
import { statOf } from '../build/process.js';

const TICK_MS = 10;

export interface Usage {
  /** Idle time of each CPU. */
  readonly idle: readonly number[];
  readonly busy: readonly number[];
  /** Time of all CPUs for everything but processes of positive niceness. */
  readonly work: number;
  /** User and system time of all threads; NaN if there is no such process. */
  readonly process: number;
}

/**
 * Reads the current usage from lines `cpuN user nice system idle iowait irq softirq steal …`. `pid`
 * 0 means no process.
 */
export function cpuUsage(pid: number): Usage {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const cpus = lines.filter((line) => /^cpu\d/.test(line)).map((line) => line.split(' ').slice(1, 9).map(Number));
  const idle = cpus.map(([, , , idling = 0, waiting = 0]) => (idling + waiting) * TICK_MS);
  const busy = cpus.map((all, i) => all.reduce((sum, ticks) => sum + ticks, 0) * TICK_MS - idle[i]!);
  const work = cpus.reduce(
    (sum, [user = 0, , system = 0, , , irq = 0, softirq = 0]) => sum + user + system + irq + softirq,
    0,
  );
  return { idle, busy, work: work * TICK_MS, process: pid === 0 ? Number.NaN : processTime(pid) };
}

function processTime(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? Number.NaN : (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/**
 * The idle share, between two readings, of the CPUs from `first` on; of all if there are no more.
 */
export function idleShare(before: Usage, after: Usage, first: number): number {
  const from = after.idle.length > first ? first : 0;
  const sum = (column: 'idle' | 'busy') =>
    after[column].slice(from).reduce((total, ms, i) => total + ms - before[column][from + i]!, 0);
  const idle = sum('idle');
  return idle / Math.max(1, idle + sum('busy'));
}
