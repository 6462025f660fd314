/**
 * The supervisor's loop: one stopped call after the other, from receive to answer, without an event
 * loop. What an answer waits for is done by blocking calls; the promises of the code that this
 * thread shares with others are fulfilled by then.
 *
 *   poll ─► the director hung up?  ─► connect again, compare its table
 *    ▲ └──► a sysctl was written?  ─► set it
 *    │ └──► a call has stopped     ─► receive ─► serve ─► respond ─► delivered, or lost
 *    └─────────────────────────────────────────────────────┘
 */
import { close, poll } from '../../sys/libc.js';
import { Notification, receive, respond } from '../../sys/seccomp.js';
import { Ended } from '../director/connection.js';
import type { Director } from '../director/director.js';
import { Refusal } from '../refusal.js';
import { Calls } from './calls.js';
import type { Served } from './result.js';

const POLLIN = 1;
const POLLERR_HUP = 0x18;
/** Period, in ms, of looking for a director that is away. */
const AWAY_MS = 200;
const FIXED = 3;

export class Loop {
  private readonly calls: Calls;
  private readonly call = new Notification();
  private fds = new Int32Array(new ArrayBuffer(8 * 16));

  /** `wake`: an eventfd that ends the loop. `report`: one line for the user. */
  constructor(
    private readonly listener: number,
    private readonly wake: number,
    private readonly director: Director,
    report: (line: string) => void,
  ) {
    this.calls = new Calls(listener, director, report);
  }

  /**
   * Runs until `wake` has input, or no process is left under the filter. It closes the listener:
   * whoever is stopped then, or later, gets ENOSYS and does not wait for ever. The main thread is
   * among them, because its end opens files.
   */
  async run(): Promise<void> {
    try {
      while (await this.turn());
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    } finally {
      close(this.listener);
    }
  }

  private async turn(): Promise<boolean> {
    const n = this.fill();
    const isAway = this.director.fd < 0 && this.director.isUsable;
    if (poll(this.fds, n, isAway ? AWAY_MS : -1) < 0) return true;
    if (this.events(1) !== 0) return false;
    if (this.calls.opens.written.size > 0) await this.calls.opens.written.drain();
    if (this.events(2) !== 0) this.director.drop();
    if (isAway) this.lookForDirector();
    if ((this.events(0) & POLLIN) !== 0) return this.next();
    return (this.events(0) & POLLERR_HUP) === 0;
  }

  /** Fills the array of poll(2); returns the number of its entries. */
  private fill(): number {
    const { written } = this.calls.opens;
    const n = FIXED + written.size;
    if (2 * n > this.fds.length) this.fds = new Int32Array(new ArrayBuffer(16 * n));
    this.watch(0, this.listener);
    this.watch(1, this.wake);
    this.watch(2, this.director.fd);
    if (written.size > 0) for (const [i, pipe] of [...written.pipes].entries()) this.watch(FIXED + i, pipe);
    return n;
  }

  private watch(i: number, fd: number): void {
    this.fds[2 * i] = fd;
    this.fds[2 * i + 1] = POLLIN;
  }

  private events(i: number): number {
    return this.fds[2 * i + 1]! >>> 16;
  }

  /** The director tells the user when it has given up; there is no call to answer. */
  private lookForDirector(): void {
    try {
      this.director.tryConnect();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }

  private async next(): Promise<boolean> {
    if (!receive(this.listener, this.call)) return true;
    const served = await this.calls.serve(this.call);
    if (served !== 'answered') this.respond(served);
    return true;
  }

  private respond(served: Exclude<Served, 'answered'>): void {
    if (respond(this.listener, this.call.id, served.outcome)) served.delivered?.();
    else served.lost?.();
  }
}
