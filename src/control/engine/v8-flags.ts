/**
 * Flags of V8 for the workers. They hold for the whole process, so that the core does not set them.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Bytes of bytecode that V8 may inline into one function (920 by default): a loop over a batch with
 * all that it calls. Calls of small functions otherwise take up to a third of the time.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=4500';

/**
 * A thread collects its young objects alone. With helpers it has to wait until the last of them is
 * done, and they have the usual priority: while many rules came, a worker waited up to 15 ms for
 * helpers that waited for a processor.
 */
const YOUNG_ALONE = '--no-parallel-scavenge';

/**
 * Sets both flags for all threads of the process. Call it before the first packet: functions
 * already compiled keep their code.
 */
export function setPacketPathFlags(): void {
  setFlagsFromString(INLINING);
  setFlagsFromString(YOUNG_ALONE);
}

/**
 * The size of a worker's old generation, in MB, below which V8 does not collect it. Forwarding
 * waits meanwhile: 2 ms, and 12 where V8's own threads wait for a processor. 100,000 destinations
 * take 46 MB. Packets take nothing.
 */
const WORKER_HEAP_MB = 128;

/**
 * Threads that start from now on have the heap of a worker; the calling thread keeps its own.
 * Returns what ends that.
 */
export function setWorkerHeap(): () => void {
  const set = (mb: number) => setFlagsFromString(`--initial-old-space-size=${mb}`);
  set(WORKER_HEAP_MB);
  return () => set(0);
}
