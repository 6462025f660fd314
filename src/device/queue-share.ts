/**
 * What several workers share of one interface: plain data. Each has a device of its own on it.
 *
 *     xdp      a socket a queue; worker i has the queues i, i + count, …; the first one's program feeds them all
 *     packet   a socket a worker, in one fanout group
 */
export interface QueueShare {
  readonly index: number;
  readonly count: number;
  /** xdp: descriptor of the map of sockets by queue. */
  readonly xsks?: number | undefined;
  /** packet: the number of the fanout group, and the descriptor of the program that picks the worker. */
  readonly group?: number | undefined;
  readonly program?: number | undefined;
}
