/**
 * Runs one round: builds the network, starts the contender, runs the flood, and removes everything.
 */

import { Flood, type FloodRun } from '../../../src/lab/flood/flood.js';
import type { Kind } from '../../../src/lab/flood/frame.js';
import { Testbed } from '../../../src/lab/flood/testbed.js';
import type { Contender } from './contender.js';

export interface Load {
  readonly kind: Kind;
  readonly clients: number;
  readonly ports: number;
  readonly ms: number;
}

const WARM_UP_MS = 1500;
const WARM_UP_PART = 0.5;

/**
 * Runs the flood with `rate` frames a second; 0: as fast as possible. A warm-up before it is not
 * measured. Throws the reason of `signal` when it aborts.
 */
export async function round(contender: Contender, rate: number, load: Load, signal: AbortSignal): Promise<FloodRun> {
  const testbed = await Testbed.build({ tap: contender.tap });
  try {
    const pid = await contender.start(testbed);
    signal.throwIfAborted();
    const flood = await Flood.start(testbed.endpoints, { ...load, pid }, signal);
    try {
      await flood.open();
      await flood.run(Math.round(rate * WARM_UP_PART), WARM_UP_MS);
      return await flood.run(rate, load.ms);
    } finally {
      await flood.stop();
    }
  } finally {
    await testbed.remove();
  }
}
