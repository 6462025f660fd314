/**
 * Ring: a ring of AF_XDP, which the process shares with the kernel (xsk_queue.h). One side writes
 * descriptors and advances the producer index; the other reads them and advances the consumer
 * index. Indices only grow, and wrap as int32.
 *
 *     | … | consumer | …           …           … | producer | …          slot = index & mask
 *                    └── written, not yet read ──┘
 *
 *     rx, tx:            a descriptor is | offset into the Umem 64 | length 32 | options 32 |
 *     fill, completion:  a descriptor is | offset into the Umem 64 |           only the low 32 bits are used: the Umem is below 4 GiB
 */
import { viewAt } from '../../sys/memory.js';
import { type RingMapping, XDP_RING_NEED_WAKEUP } from '../../sys/xdp-socket.js';

export class Ring {
  readonly words: Int32Array;
  readonly descriptors: number;
  readonly mask: number;
  private readonly producer: number;
  private readonly consumer: number;
  private readonly flags: number;

  constructor({ address, length, producer, consumer, descriptors, flags }: RingMapping, entries: number) {
    this.words = new Int32Array(viewAt(address, length));
    this.producer = producer >> 2;
    this.consumer = consumer >> 2;
    this.descriptors = descriptors >> 2;
    this.flags = flags >> 2;
    this.mask = entries - 1;
  }

  /** The producer index. */
  get written(): number {
    return Atomics.load(this.words, this.producer);
  }
  set written(index: number) {
    Atomics.store(this.words, this.producer, index);
  }

  /** The consumer index. */
  get read(): number {
    return Atomics.load(this.words, this.consumer);
  }
  set read(index: number) {
    Atomics.store(this.words, this.consumer, index);
  }

  /**
   * True when the kernel waits for a system call before it goes on with the ring
   * (XDP_RING_NEED_WAKEUP).
   */
  get needsWakeup(): boolean {
    return (Atomics.load(this.words, this.flags) & XDP_RING_NEED_WAKEUP) !== 0;
  }
}
