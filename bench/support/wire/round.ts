/**
 * Runs one round: builds the network, starts the contender, runs the flood, and removes everything.
 */

import { Flood, type FloodOptions, type FloodRun } from '../../../src/lab/flood/flood.js';
import { Testbed } from '../../../src/lab/flood/testbed.js';
import type { Contender } from './contender.js';

type Flows = Pick<FloodOptions, 'clients' | 'ports' | 'pauses'>;

export interface Load extends Flows {
  readonly ms: number;
}

/**
 * So long a flood is not measured: a UDP flow is offloaded after 8 packets, and of 65,536 flows the
 * last ones have as many after 2 s.
 */
const WARM_UP_MS = 3000;
const WARM_UP_PART = 0.5;

/**
 * Runs the flood with `rate` frames a second; 0: as fast as possible. A warm-up before it is not
 * measured. Throws the reason of `signal` when it aborts.
 */
export function round(contender: Contender, rate: number, load: Load, signal: AbortSignal): Promise<FloodRun> {
  return flooded(contender, load, signal, async (flood) => {
    await flood.run(Math.round(rate * WARM_UP_PART), WARM_UP_MS);
    return flood.run(rate, load.ms);
  });
}

/**
 * Builds the network and starts the contender and a flood; removes everything after `use`. Throws
 * the reason of `signal` when it aborts.
 */
export async function flooded<T>(
  contender: Contender,
  flows: Flows,
  signal: AbortSignal,
  use: (flood: Flood) => Promise<T>,
): Promise<T> {
  const testbed = await Testbed.build({ tap: contender.tap });
  try {
    const pid = await contender.start(testbed);
    signal.throwIfAborted();
    const options = { ...flows, pid, xdpSink: contender.xdpSink === true };
    const flood = contender.replies
      ? await floodOfReplies(testbed, options, signal)
      : await opened(testbed, { ...options, kind: 'udp' }, signal);
    try {
      return await use(flood);
    } finally {
      await flood.stop();
    }
  } finally {
    contender.stop?.();
    await testbed.remove();
  }
}

/** A flood of the clients that has opened its flows. */
export async function opened(testbed: Testbed, options: FloodOptions, signal: AbortSignal): Promise<Flood> {
  const flood = await Flood.start(testbed.endpoints, options, signal);
  try {
    await flood.open();
    return flood;
  } catch (error) {
    await flood.stop();
    throw error;
  }
}

/** The clients open connections and send on them, before the realserver floods. */
async function floodOfReplies(
  testbed: Testbed,
  options: Omit<FloodOptions, 'kind'>,
  signal: AbortSignal,
): Promise<Flood> {
  const clients = await opened(testbed, { ...options, kind: 'established' }, signal);
  try {
    await clients.run(0, WARM_UP_MS);
  } finally {
    await clients.stop();
  }
  return Flood.start(testbed.replies, { ...options, kind: 'replies' }, signal);
}
