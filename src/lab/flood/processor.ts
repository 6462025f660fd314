/** Who used the processors: /proc/stat for the CPUs, /proc/PID/stat for a process. Times in ms, at the kernel's 10. */
import { readFileSync } from 'node:fs';
import { statOf } from '../build/process.js';

const TICK_MS = 10;

export interface Usage {
  /** By CPU. */
  readonly idle: readonly number[];
  readonly busy: readonly number[];
  /** User and system time of all threads; NaN when there is no such process. */
  readonly process: number;
}

/** cpuN user nice system idle iowait irq softirq steal …; `pid` 0: no process in particular. */
export function usage(pid: number): Usage {
  const lines = readFileSync('/proc/stat', 'utf8').split('\n');
  const cpus = lines.filter((line) => /^cpu\d/.test(line)).map((line) => line.split(' ').slice(1, 9).map(Number));
  const idle = cpus.map(([, , , idling = 0, waiting = 0]) => (idling + waiting) * TICK_MS);
  const busy = cpus.map((all, i) => all.reduce((sum, ticks) => sum + ticks, 0) * TICK_MS - idle[i]!);
  return { idle, busy, process: pid === 0 ? Number.NaN : processTime(pid) };
}

function processTime(pid: number): number {
  const fields = statOf(pid);
  return fields === undefined ? Number.NaN : (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}

/** The part of their time that the CPUs from `first` on were idle, between two looks; all of them where there is only one. */
export function idlePart(before: Usage, after: Usage, first: number): number {
  const from = after.idle.length > first ? first : 0;
  const sum = (column: 'idle' | 'busy') =>
    after[column].slice(from).reduce((total, ms, i) => total + ms - before[column][from + i]!, 0);
  const idle = sum('idle');
  return idle / Math.max(1, idle + sum('busy'));
}
