/**
 * The director of `ulvs run` on a live machine:
 *
 *     start ─► requests of clients, reload, reports of the workers ─┬─► stop: all parts in reverse
 *                                                                   └─► leave: to the process that took over
 *
 * A request goes from the socket to Requests (server/requests.ts), and what it changes to the
 * host's stack and the dataplane by Forwarding (server/forwarding.ts). parts.ts draws the parts.
 */
import type { AdminClient, AdminReply, AdminRequest, ReloadReport } from '../api/api.js';
import type { Asker } from '../api/session.js';
import { refuseInUse } from '../api/socket.js';
import type { Config } from '../config/config.js';
import { Heartbeat } from '../server/heartbeat.js';
import { Giver } from '../takeover/giver.js';
import { refusedMeanwhile } from '../takeover/refused.js';
import { Taker } from '../takeover/taker.js';
import { isUpOrEnded } from '../takeover/yielding.js';
import { checkProxied, wantedRules } from './checks.js';
import { type Around, Parts, type StartOptions } from './parts.js';
import { reload } from './reload.js';
import { start } from './start.js';
import { giving, type Succession } from './succession.js';

/** The director itself, as one that asks. */
const OWN: Asker = { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** Reads a configuration and gives it to `Daemon.reload`. `peer`: the client that asks. */
export type Reloader = (request: Extract<AdminRequest, { op: 'reload' }>, peer?: Asker) => Promise<AdminReply>;

/** A running director. */
export class Daemon implements AdminClient {
  readonly heartbeat: Heartbeat;
  /** Another process takes over from this one. */
  private readonly giver: Giver;
  private readonly successor: Promise<Succession>;

  private constructor(
    private readonly parts: Parts,
    private readonly reloader: Reloader | undefined,
  ) {
    let leaveTo: (to: Succession) => void = () => {};
    this.successor = new Promise((resolve) => {
      leaveTo = resolve;
    });
    this.giver = new Giver(
      giving(parts, (to) => leaveTo(to)),
      parts.log,
    );
    parts.isHandingOver = () => this.giver.isBusy;
    this.heartbeat = new Heartbeat(parts.shared.tables, parts.requests.rules);
  }

  /**
   * Starts a director. On a failure it stops what it has started and rejects with an Error of one
   * line. The caller stops the director when `around.onFailure` is called. `reloader`: what a
   * client's request for a reload does; without it there is none.
   */
  static async start(config: Config, around: Around, options: StartOptions = {}, reloader?: Reloader): Promise<Daemon> {
    // Before a state is made, and before the running director waits for this one.
    const wanted = await wantedRules(config, around);
    checkProxied(config, wanted.entries());
    const taker = options.takeover === true ? await Taker.of(config, (line) => around.log.warn(line)) : undefined;
    // Before anything changes: a second director would intercept the packets of the first.
    if (taker === undefined) await refuseInUse(config.socket);
    const parts = new Parts(taker?.config ?? config, around, options, taker);
    const daemon = new Daemon(parts, reloader);
    try {
      await start(parts, wanted, daemon, (request, peer) => daemon.request(request, peer));
    } catch (error) {
      // What was taken from a running director is left as it is: that one goes on.
      if (taker === undefined) await daemon.stop();
      else await daemon.leave();
      taker?.close();
      parts.keeper?.store.forgetNew();
      throw error;
    }
    return daemon;
  }

  /** `peer`: who asks. */
  async request(request: AdminRequest, peer: Asker = OWN): Promise<AdminReply> {
    if (request.op === 'takeover') return this.giver.answer(request.step, request.pid);
    const refusal = this.giver.isBusy ? refusedMeanwhile(request) : undefined;
    if (refusal !== undefined) return refusal;
    const note = this.parts.audit.begin(request, peer);
    const reply =
      request.op === 'reload' && this.reloader !== undefined
        ? await this.reloader(request, peer)
        : await this.parts.requests.request(request);
    note(reply);
    return reply;
  }

  /** Replaces the running configuration: everything or nothing (reload.ts). */
  reload(config: Config, dryRun = false): Promise<ReloadReport> {
    return reload(this.parts, config, dryRun);
  }

  /**
   * Resolves with the process that goes on. This director then ends by `leave` or `yieldTo`, as the
   * Succession says.
   */
  get succeeded(): Promise<Succession> {
    return this.successor;
  }

  /** Ends this process's part, and leaves devices and programs to the process that uses them. */
  async leave(): Promise<void> {
    const { parts } = this;
    parts.stopTimers();
    for (const socket of parts.sockets) await parts.attempt(() => socket.close());
    await parts.attempt(() => parts.health.close());
    await parts.attempt(() => parts.live?.close());
    await parts.attempt(() => parts.workers?.leave());
    await parts.attempt(() => parts.host?.end());
    await parts.attempt(() => parts.rawOut?.close());
    parts.keeper?.close();
  }

  /**
   * Stops, for the process of a Succession that `yields`. Resolves with true when that one is up,
   * with false when it has ended. The packets of connections are kept from the host meanwhile.
   */
  async yieldTo(pid: number): Promise<boolean> {
    await this.stop(true);
    const isUp = await isUpOrEnded(pid, this.parts.config.socket);
    this.parts.host?.endGuard();
    return isUp;
  }

  /**
   * Stops all parts, in reverse. A step that fails is logged, and the others are still taken.
   * `guarded`: packets of connections are still kept from the host.
   */
  async stop(guarded = false): Promise<void> {
    const { parts } = this;
    parts.stopTimers();
    await parts.attempt(() => parts.host?.withdraw());
    for (const socket of parts.sockets) await parts.attempt(() => socket.close());
    await parts.attempt(() => parts.sync.close());
    await parts.attempt(() => parts.metrics?.close());
    await parts.attempt(() => parts.console?.close());
    await parts.attempt(() => parts.health.close());
    await parts.attempt(() => parts.live?.close());
    await parts.attempt(() => parts.workers?.stop());
    await parts.attempt(() => parts.host?.end(guarded));
    parts.maps?.close();
    await parts.attempt(() => parts.rawOut?.close());
    parts.keeper?.close();
  }
}
