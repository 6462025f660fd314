/**
 * A soak: hours of traffic through one director while its operator works. Every 5 s one of
 *
 *     reload (some services are exchanged for others) ─► listing ─► trace for 2 s ─► nothing ─┐
 *        └─────────────────────────────────────────────────────────────────────────────────────┘
 *
 * and each `every` seconds a sample.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BedOptions, LoadSize } from '../outage/config.js';
import { OutageBed } from '../outage/testbed.js';
import { AskedDirector, descriptorsOf } from '../watch/asked.js';
import { type Sample, sampleOf } from './sample.js';

export interface SoakOptions extends BedOptions, LoadSize {
  readonly hours: number;
  /** Time between two samples, s. */
  readonly every: number;
}

/** Between two works of the operator, ms. */
const WORK_EVERY = 5000;
const TRACE_MS = 2000;
const TRACED = 100_000;
/** Services that a reload exchanges. */
const EXCHANGED = 20;
/**
 * After the end of the load, until no frame waits, ms: a next hop that does not answer takes 3 s.
 */
const SETTLE = 5000;

/**
 * Runs a soak; `onSample` gets each sample. Rejects with a LabError, a CommandError, or the
 * signal's reason.
 */
export async function soak(
  options: SoakOptions,
  onSample: (sample: Sample) => void,
  signal: AbortSignal,
): Promise<void> {
  const bed = await OutageBed.build(options);
  const director = new AskedDirector(bed.socket);
  const [began, ended] = [performance.now(), new AbortController()];
  const sample = async (reports: Awaited<ReturnType<OutageBed['report']>> | readonly []) => {
    const status = await director.status();
    onSample(sampleOf((performance.now() - began) / 1000, status, descriptorsOf(status.pid), reports));
  };
  try {
    await bed.load(options);
    const work = operate(bed, director, AbortSignal.any([signal, ended.signal]));
    for (const end = began + options.hours * 3_600_000; performance.now() < end; ) {
      await Promise.race([sleep(options.every * 1000, undefined, { signal }), work]);
      await sample(await bed.report());
    }
    ended.abort();
    await work;
    await bed.endLoad();
    await sleep(SETTLE);
    await sample([]);
  } finally {
    ended.abort();
    director.close();
    await bed.remove();
  }
}

/** What an operator does until the signal. Rejects when the director refuses it. */
async function operate(bed: OutageBed, director: AskedDirector, signal: AbortSignal): Promise<void> {
  const config = readFileSync(bed.config, 'utf8');
  const works = [
    (n: number) => exchange(bed, director, `${config}${servicesOf(n)}`),
    () => director.list(),
    () => director.trace(TRACED, () => sleep(TRACE_MS)),
    () => Promise.resolve(),
  ];
  for (let n = 0; !signal.aborted; n++) {
    await works[n % works.length]!(n);
    await sleep(WORK_EVERY, undefined, { signal }).catch(() => {});
  }
}

async function exchange(bed: OutageBed, director: AskedDirector, config: string): Promise<void> {
  bed.writeConfig(config);
  await director.reload();
}

/** Lines for the rules at the end of director.yaml: others for each `n`, up to 1000. */
function servicesOf(n: number): string {
  return Array.from({ length: EXCHANGED }, (_, i) => {
    const service = `-t 10.1.1.${i + 1}:${1000 + (n % 1000)}`;
    return `  -A ${service} -s rr\n  -a ${service} -r 10.2.0.11:8080 -m\n`;
  }).join('');
}
