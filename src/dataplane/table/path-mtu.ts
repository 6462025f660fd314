/**
 * What routers said about the paths to tunnel destinations (RFC 1191), as the kernel's route exceptions keep it: for ten
 * minutes, never below 552, and a value held up there is not moved again until it ends.
 *
 *     row: [ address | mtu | locked | ends, seconds ]      direct-mapped: a row lost to another address is learnt again
 */
const ROWS = 1024;
const ROW = 4;
const SMALLEST = 552;
const SECONDS = 600;

export class PathMtus {
  /** Something was learnt once: else there is no need to look. */
  some = false;
  private readonly rows = new Int32Array(ROWS * ROW);

  /** The path's MTU to an IPv4 address: `routeMtu`, unless a smaller one is known. `now` in ms. */
  mtu(address: number, routeMtu: number, now: number): number {
    const row = this.find(address, now);
    return row < 0 ? routeMtu : Math.min(routeMtu, this.rows[row + 1]!);
  }

  isKnown(address: number, now: number): boolean {
    return this.find(address, now) >= 0;
  }

  /** A router reported `reported`; larger than what is known is no news. */
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

/** From 1, so that an empty row has always ended. */
function secondsOf(now: number): number {
  return 1 + Math.floor(now / 1000);
}
