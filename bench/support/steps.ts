/**
 * Counts the instructions that a process executes for each packet, by function. It single-steps the
 * process (bench/reference/steps.c), so it needs no counters of the processor, which virtual
 * machines often lack. x86-64 only.
 *
 * The number of packets is not known to it. But nearly all instructions of a packet path are
 * executed once for each packet: the weighted median of the counts is the number of packets.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';

const PROGRAM = 'build/steps';

/** A function of a process: its first address, its length in bytes. */
export interface Code {
  readonly begin: number;
  readonly size: number;
  readonly name: string;
}

/** Instructions for each packet, by function. */
export type Instructions = ReadonlyMap<string, number>;

/** Compiles the program that steps. Throws where gcc is missing or the processor is another one. */
export function buildSteps(): void {
  if (process.arch !== 'x64') throw new Error(`instructions can be counted on x86-64 only, this is ${process.arch}`);
  mkdirSync('build', { recursive: true });
  execFileSync('gcc', ['-O2', '-o', PROGRAM, 'bench/reference/steps.c'], { stdio: 'inherit' });
}

/**
 * Executes `steps` instructions of a process one by one. `codeOf`: its functions, read afterwards.
 * `isMeasured`: the function belongs to the packet path.
 */
export function countSteps(
  pid: number,
  steps: number,
  codeOf: () => readonly Code[],
  isMeasured: (name: string) => boolean,
): Instructions {
  const text = execFileSync(PROGRAM, [`${pid}`, `${steps}`], { encoding: 'utf8', maxBuffer: 1 << 26 });
  const all = codeOf();
  const found = text
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([address, times]) => ({ name: nameAt(all, Number.parseInt(address!, 16)), times: Number(times) }))
    .filter(({ name }) => isMeasured(name));
  const packets = weightedMedian(found.map(({ times }) => times));
  const sums = new Map<string, number>();
  for (const { name, times } of found) sums.set(name, (sums.get(name) ?? 0) + times / packets);
  return sums;
}

/** The last one counts: V8 compiles a function again at another place, and reuses places. */
function nameAt(all: readonly Code[], address: number): string {
  return all.findLast(({ begin, size }) => begin <= address && address < begin + size)?.name ?? '';
}

function weightedMedian(counts: readonly number[]): number {
  const half = counts.reduce((sum, count) => sum + count, 0) / 2;
  let sum = 0;
  const reaches = (count: number) => {
    sum += count;
    return sum >= half;
  };
  return [...counts].sort((a, b) => a - b).find(reaches) ?? 1;
}

/** Functions that V8 has compiled, from the file that `--perf-basic-prof` makes. */
export function codeOfNode(pid: number): Code[] {
  const lines = readFileSync(`/tmp/perf-${pid}.map`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [begin, size, ...name] = line.split(' ');
    return { begin: Number.parseInt(begin!, 16), size: Number.parseInt(size!, 16), name: name.join(' ') };
  });
}

/** Functions of a C program that runs. */
export function codeOfProgram(pid: number, file: string): Code[] {
  const base = Number.parseInt(readFileSync(`/proc/${pid}/maps`, 'utf8').split('-')[0]!, 16);
  const lines = execFileSync('nm', ['-S', '--defined-only', file], { encoding: 'utf8' }).split('\n');
  return lines
    .map((line) => line.split(' '))
    .filter(([, , type]) => type?.toLowerCase() === 't')
    .map(([begin, size, , name]) => ({
      begin: base + Number.parseInt(begin!, 16),
      size: Number.parseInt(size!, 16),
      name: name!,
    }));
}
