/** A capture through a director in this thread: every frame of `in` comes in by one device, what leaves goes into `out`. */
import { loadConfig } from '../../control/config.js';
import { InProcessDirector } from '../../control/inprocess.js';
import { PcapWriter, readCapture } from '../../device/pcap.js';
import { Fate } from '../../stats/counters.js';
import { DROP_NAMES } from '../../stats/drops.js';
import { loadRules } from '../rules.js';

export interface PcapOptions {
  readonly config: string;
  readonly pcap: string;
  readonly device: string;
  readonly out?: string;
}

export interface PcapResult {
  /** One line each, for stderr. */
  readonly warnings: string[];
  /** What became of the frames, one line. */
  readonly summary: string;
}

export async function replayPcap(options: PcapOptions): Promise<PcapResult> {
  const config = loadConfig(options.config);
  const device = config.devices.findIndex(({ name }) => name === options.device);
  if (device < 0) throw new Error(`--if ${options.device}: ${options.config} has no device of that name`);
  const { frames, warnings } = readCapture(options.pcap);
  const start = frames[0]?.t ?? 0;
  const writer = options.out === undefined ? undefined : new PcapWriter(options.out);
  let now = 0;
  const director = new InProcessDirector(config, (_, bytes) => writer?.write(start + now, bytes));
  await loadRules(config, director);
  let oversize = 0;
  for (const { t, bytes } of frames) {
    now = Math.max(now, t - start);
    director.advance(now);
    if (!director.receive(device, bytes)) oversize++;
  }
  writer?.close();
  if (oversize > 0) warnings.push(`${options.pcap}: ${oversize} frames are longer than 1790 bytes and were left out`);
  return { warnings, summary: summarize(director) };
}

function summarize(director: InProcessDirector): string {
  const { counters } = director.director;
  const { values } = counters;
  const reasons = DROP_NAMES.flatMap((name, i) => (counters.drops(i) > 0 ? [`${name} ${counters.drops(i)}`] : []));
  const dropped = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
  const count = (fate: number) => values[fate]!;
  return (
    `${count(Fate.in)} in, ${count(Fate.forwarded)} forwarded, ${count(Fate.delivered)} delivered, ` +
    `${count(Fate.passed)} passed, ${count(Fate.dropped)} dropped${dropped}, ${count(Fate.originated)} originated`
  );
}
