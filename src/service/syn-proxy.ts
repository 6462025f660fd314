/**
 * The SYN proxy of one service, in one worker: does it answer SYNs now? In mode `auto` it compares
 * what came with what was confirmed.
 *
 *     unconfirmed = connections opened + cookies sent − handshakes completed     each second
 *
 *     off ── unconfirmed of the last 60 s > limit ──────────────────────► on
 *     off ◄─ unconfirmed of the last 10 s, times 6, <= limit / 2; 10 s ── on
 *
 * 60 s is the timeout of a half-open connection: while it is off, the sum is their number.
 */

/** Seconds that are remembered, and those that count while it is on. */
const REMEMBERED = 60;
const RECENT = 10;
/** A cookie is valid for less than this, in ms (dataplane/synproxy/cookie.ts). */
const COOKIE_LIFETIME = 128_000;

export class SynProxy {
  /** SYNs are answered by cookies. */
  isOn: boolean;
  /** Cookies sent and handshakes completed so far, also those of cookies. */
  sent = 0;
  confirmed = 0;
  private cookiesUntil = Number.NEGATIVE_INFINITY;
  private readonly seconds = new Int32Array(REMEMBERED);
  private second = 0;
  private before = Number.NaN;
  private since = 0;

  constructor(readonly mode: 'auto' | 'on') {
    this.isOn = mode === 'on';
  }

  /** A cookie is sent; `now` in ms. */
  noteCookie(now: number): void {
    this.sent++;
    this.cookiesUntil = now + COOKIE_LIFETIME;
  }
  /** A client may have a cookie that is valid. */
  mayHaveCookies(now: number): boolean {
    return now < this.cookiesUntil;
  }

  /**
   * Call it several times a second; `now` in ms. `opened`: connections that the service has opened
   * so far. `limit`: of half-open connections.
   */
  measure(now: number, opened: number, limit: number): void {
    if (this.mode === 'on') return;
    this.advance(Math.floor(now / 1000));
    const unconfirmed = opened + this.sent - this.confirmed;
    if (!Number.isNaN(this.before)) this.seconds[this.second % REMEMBERED]! += unconfirmed - this.before;
    this.before = unconfirmed;
    if (!this.isOn && this.last(REMEMBERED) > limit) this.turn(true, now);
    else if (this.isOn && now - this.since >= RECENT * 1000 && this.isOver(limit)) this.turn(false, now);
  }

  private isOver(limit: number): boolean {
    return this.last(RECENT) * (REMEMBERED / RECENT) <= limit / 2;
  }

  private turn(on: boolean, now: number): void {
    this.isOn = on;
    this.since = now;
    if (!on) this.seconds.fill(0);
  }

  private advance(second: number): void {
    if (second - this.second > REMEMBERED) this.second = second - REMEMBERED;
    while (this.second < second) this.seconds[++this.second % REMEMBERED] = 0;
  }

  private last(n: number): number {
    let total = 0;
    for (let i = 0; i < n; i++) total += this.seconds[(this.second + REMEMBERED - i) % REMEMBERED]!;
    return total;
  }
}
