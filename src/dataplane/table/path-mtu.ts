/**
 * Path MTUs that routers reported for tunnel destinations (RFC 1191), kept like the kernel's route
 * exceptions: for ten minutes, never below 552, and a locked value is not changed until it expires.
 *
 *      row: [ address | mtu | locked | expiry, s ]      direct-mapped: a row lost to another address is learnt again
 */
const ROWS = 1024;
const ROW = 4;
const SMALLEST = 552;
const SECONDS = 600;

export class PathMtus {
  /** A path MTU was learnt at least once. While false, no look-up is needed. */
  some = false;
  private readonly rows = new Int32Array(ROWS * ROW);

  /**
   * Returns the MTU of the path to an IPv4 address: `routeMtu`, or a smaller one that is known.
   * `now` in ms.
   */
  mtu(address: number, routeMtu: number, now: number): number {
    const row = this.find(address, now);
    return row < 0 ? routeMtu : Math.min(routeMtu, this.rows[row + 1]!);
  }

  isKnown(address: number, now: number): boolean {
    return this.find(address, now) >= 0;
  }

  /** A router reported the MTU `reported`. A value above the known one is ignored. */
  learn(address: number, reported: number, routeMtu: number, now: number): void {
    const { rows } = this;
    const known = this.find(address, now);
    const old = this.mtu(address, routeMtu, now);
    if (old < reported || (known >= 0 && rows[known + 2] !== 0)) return;
    const locked = reported < SMALLEST;
    const ends = secondsOf(now) + SECONDS;
    if (known >= 0 && old === reported && ends - rows[known + 3]! < SECONDS / 2) return;
    const row = rowOf(address);
    this.some = true;
    rows[row] = address;
    rows[row + 1] = locked ? Math.min(old, SMALLEST) : reported;
    rows[row + 2] = locked ? 1 : 0;
    rows[row + 3] = ends;
  }

  private find(address: number, now: number): number {
    const row = rowOf(address);
    return this.rows[row] === address && this.rows[row + 3]! > secondsOf(now) ? row : -1;
  }
}

function rowOf(address: number): number {
  return (Math.imul(address, 0x9e3779b1) >>> 22) * ROW;
}

/** Seconds from 1 on, so that an empty row has expired. */
function secondsOf(now: number): number {
  return 1 + Math.floor(now / 1000);
}
