/**
 * Flags of V8 for the workers. They hold for the whole process, so that the core does not set them.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * Bytes of bytecode that V8 may inline into one function (920 by default): a loop over a batch with
 * all that it calls. Calls of small functions otherwise take up to a third of the time. V8 reads it
 * when it compiles a function. For code that is not the packet path it only makes the compiler take
 * more than twice as long: 1.6 s instead of 0.7 s while 100,000 destinations are loaded.
 */
const INLINING = '--max-inlined-bytecode-size-cumulative=4500';

/** While no frames come, it takes half as long with this: the code of the rules is as fast. */
const LITTLE_INLINING = '--max-inlined-bytecode-size-cumulative=50';

/** Until traffic begins V8 compiles for rules. Call it when the process starts. */
export function inlineLittle(): void {
  setFlagsFromString(LITTLE_INLINING);
}

/**
 * A thread collects its young objects alone. With helpers it has to wait until the last of them is
 * done, and they have the usual priority: while many rules came, a worker waited up to 15 ms for
 * helpers that waited for a processor.
 */
const YOUNG_ALONE = '--no-parallel-scavenge';

/** From now on threads collect alone. */
export function collectAlone(): void {
  setFlagsFromString(YOUNG_ALONE);
}

/**
 * From now on V8 compiles for the packet path. Call it when frames come, before their functions are
 * hot: functions already compiled keep their code.
 */
export function inlineWalks(): void {
  setFlagsFromString(INLINING);
}

/**
 * Frames with which traffic begins. Interfaces alone receive some dozens (neighbour discovery,
 * MLD), and no function of the packet path is hot yet.
 */
const BEGIN_FRAMES = 256;

/** A worker that has received so many frames forwards more than what interfaces send alone. */
export function isTraffic(frames: number): boolean {
  return frames >= BEGIN_FRAMES;
}

/** Calls `inlineWalks` when traffic begins, not while rules are loaded without any. */
export class TrafficStart {
  private left = BEGIN_FRAMES;

  get hasBegun(): boolean {
    return this.left <= 0;
  }

  /** So many more frames were received. */
  note(frames: number): void {
    this.left -= frames;
    if (this.left <= 0) inlineWalks();
  }
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
