/**
 * Replays a capture through a director in this thread. One device receives all frames; the frames
 * that the director sends are written to `out`.
 */

import { PcapWriter, readCapture } from '../capture/pcap.js';
import { loadConfig } from '../control/config/config.js';
import { InProcessDirector } from '../control/inprocess.js';
import { FrameStat } from '../stats/counters.js';
import { DROP_NAMES, Drop } from '../stats/drops.js';
import { loadRules } from '../ulvsadm/rules.js';

export interface PcapOptions {
  readonly config: string;
  readonly pcap: string;
  readonly device: string;
  readonly out?: string;
}

export interface PcapResult {
  /** Warnings for stderr, one line each. */
  readonly warnings: string[];
  /** What became of the frames, in one line, and maybe a line with advice. */
  readonly summary: string[];
}

/**
 * Runs the replay. `spy` gets the director before the first frame. Throws a ConfigError, or an
 * Error that names the option or file.
 */
export async function replayPcap(
  options: PcapOptions,
  spy?: (director: InProcessDirector) => void,
): Promise<PcapResult> {
  const config = loadConfig(options.config);
  const device = config.devices.findIndex(({ name }) => name === options.device);
  if (device < 0) throw new Error(`--if ${options.device}: ${options.config} has no device of that name`);
  const { frames, warnings } = readCapture(options.pcap);
  const start = frames[0]?.t ?? 0;
  const writer = options.out === undefined ? undefined : new PcapWriter(options.out);
  let now = 0;
  const director = new InProcessDirector(config, (_, bytes) => writer?.write(start + now, bytes));
  await loadRules(config, director);
  spy?.(director);
  let oversize = 0;
  for (const { t, bytes } of frames) {
    now = Math.max(now, t - start);
    director.advance(now);
    if (!director.receive(device, bytes)) oversize++;
  }
  writer?.close();
  if (oversize > 0) warnings.push(`${options.pcap}: ${oversize} frames are longer than 1790 bytes and were left out`);
  return { warnings, summary: [summarize(director), ...advice(director, options.config)] };
}

/** in = forwarded + delivered + passed + dropped + frames that still wait. */
function summarize(director: InProcessDirector): string {
  const { counters, fragments } = director.director;
  const { values } = counters;
  const reasons = DROP_NAMES.flatMap((name, i) => (counters.drops(i) > 0 ? [`${name} ${counters.drops(i)}`] : []));
  const dropped = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  const waiting = waitingFrames(director);
  const count = (fate: number) => values[fate]!;
  return (
    `${count(FrameStat.in)} in, ${count(FrameStat.forwarded)} forwarded, ${count(FrameStat.delivered)} delivered, ` +
    `${count(FrameStat.passed)} passed, ${count(FrameStat.dropped)} dropped${dropped}, ` +
    (waiting > 0 ? `${waiting} waiting for a neighbour, ` : '') +
    (fragments.held > 0 ? `${fragments.held} waiting for other fragments, ` : '') +
    `${count(FrameStat.originated)} originated`
  );
}

/** Received frames that wait for a neighbour: in a replay nobody answers the director's ARP. */
function waitingFrames({ director }: InProcessDirector): number {
  return director.neighbours.all.flatMap(({ waiting }) => waiting).filter(({ originated }) => !originated).length;
}

const LOST = [Drop.noRoute, Drop.neighbourFailed, Drop.neighbourQueue, Drop.otherHost];

/**
 * Advice if nothing was forwarded: a live director asks the kernel for what the configuration of a
 * replay must have.
 */
function advice(director: InProcessDirector, config: string): string[] {
  const { counters } = director.director;
  const lost = LOST.reduce((sum, reason) => sum + counters.drops(reason), waitingFrames(director));
  if (counters.values[FrameStat.forwarded] !== 0 || lost === 0) return [];
  return [
    `nothing was forwarded: a replay asks neither kernel nor wire, so ${config} must have ` +
      'addresses: (and mac:) of the devices, routes: and neighbours:',
  ];
}
