/**
 * What a connection table asks and tells of connections whose packets somebody else forwards
 * (dataplane/offload): they are seen by no packet of the director.
 */
export interface Offloaded {
  /**
   * Sets EXPIRES by the last packet of the entry. Returns true when its end is in the future.
   */
  pull(entry: number): boolean;
  /** The state of the entry changes: its packets must come to the director. */
  withdraw(entry: number): void;
  /** The entry leaves the table. It still has its destination. */
  release(entry: number): void;
  /** Something changes that the packets of many entries depend on. */
  bump(): void;
}
