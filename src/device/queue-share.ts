/**
 * QueueShare: one worker's share of an interface that several workers read. Each worker opens a
 * device of its own on it.
 *
 *     xdp      one socket a queue; worker i has the queues i, i + count, …; the program of worker 0 feeds all of them
 *     packet   one socket a worker, all in one fanout group
 */
export interface QueueShare {
  /** Number of the worker, from 0. */
  readonly index: number;
  /** How many workers there are. */
  readonly count: number;
  /** xdp: file descriptor of the XSKMAP, the map of sockets by queue. */
  readonly xsks?: number | undefined;
  /** packet: the number of the fanout group, and the file descriptor of its program. */
  readonly group?: number | undefined;
  readonly program?: number | undefined;
}
