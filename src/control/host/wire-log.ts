/**
 * WireLog: what the log says about the wire. One line when a trouble begins, one when it ends:
 *
 *     eth1: link down                                          eth1: link up after 12 s
 *     192.168.1.11 (eth1) does not answer ARP                  … answers again after 40 s
 *     -t 10.0.0.100:80: SYN flood: the SYN proxy answers …     … is over after 73 s: …
 *     frames are dropped: neighbourFailed …                    … no more: 26 frames in 35 s
 *
 * Not more than BURST lines a minute: a network that flaps must not fill a disk.
 */
import type { Logger } from 'pino';

/** Lines in MINUTE_MS at most. */
const BURST = 40;
const MINUTE_MS = 60_000;
/** Frames of one reason in one tick with which a trouble begins. */
const MANY = 10;
/** Ticks without a frame after which it has ended. */
const QUIET = 2;
/** Reasons that any healthy network has: a bridge floods, a switch mirrors. */
const NORMAL = ['otherHost'];

/** A device as it is now. */
export interface WireState {
  readonly name: string;
  /** '': it can send; else why not. */
  readonly down: string;
  readonly mac: string;
  readonly mtu: number;
}

/** Frames dropped since the start, by reason. */
export interface DropCount {
  readonly name: string;
  readonly text: string;
  readonly packets: number;
}

interface Dropping {
  readonly since: number;
  readonly from: number;
  quiet: number;
}

/** The log about the wire of one director. */
export class WireLog {
  private readonly states = new Map<string, WireState & { since: number }>();
  private readonly silent = new Map<string, number>();
  private readonly counts = new Map<string, number>();
  /** Services in a SYN flood: since when, and the workers whose proxy answers. */
  private readonly floods = new Map<string, { readonly since: number; readonly workers: Set<number> }>();
  private readonly dropping = new Map<string, Dropping>();
  private minute = 0;
  private lines = 0;

  constructor(
    private readonly log: Pick<Logger, 'info' | 'warn'>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** The SYN proxy of a service, in mode auto, begins or ends to answer SYNs in one worker. */
  synProxy(service: string, worker: number, on: boolean): void {
    const flood = this.floods.get(service) ?? { since: this.now(), workers: new Set() };
    const before = flood.workers.size;
    if (on) flood.workers.add(worker);
    else flood.workers.delete(worker);
    if (before === 0 && on) {
      this.floods.set(service, flood);
      this.say('warn', `${service}: SYN flood: the SYN proxy answers SYNs by cookies`);
    } else if (before > 0 && flood.workers.size === 0) {
      this.floods.delete(service);
      const after = this.seconds(flood.since);
      this.say('info', `${service}: the SYN flood is over after ${after}: the SYN proxy is off again`);
    }
  }

  /** The devices as they are now. */
  links(states: readonly WireState[]): void {
    for (const state of states) {
      const before = this.states.get(state.name);
      this.states.set(state.name, { ...state, since: before?.down === state.down ? before.since : this.now() });
      if (before !== undefined) this.compare(before, state);
    }
  }

  private compare(before: WireState & { since: number }, { name, down, mac, mtu }: WireState): void {
    if (down !== '' && before.down === '') this.say('warn', `${name}: ${down}`);
    if (down === '' && before.down !== '') this.say('info', `${name}: link up after ${this.seconds(before.since)}`);
    if (down !== '' || before.down !== '') return;
    if (mac !== before.mac) this.say('info', `${name}: its MAC address is ${mac} now; the VIPs are announced again`);
    if (mtu !== before.mtu) this.say('info', `${name}: its MTU is ${mtu} now`);
  }

  /** A next hop that the director needs has answered ARP or neighbour discovery, or has not. */
  nextHop(device: string, ip: string, answers: boolean): void {
    const key = `${ip} (${device})`;
    const since = this.silent.get(key);
    if (answers && since !== undefined) {
      this.silent.delete(key);
      this.say('info', `${key} answers ${protocolOf(ip)} again after ${this.seconds(since)}`);
    } else if (!answers && since === undefined) {
      this.silent.set(key, this.now());
      this.say('warn', `${key} does not answer ${protocolOf(ip)}: frames for it are dropped`);
    }
  }

  /** Call every few seconds with all counts. */
  drops(counts: readonly DropCount[]): void {
    for (const count of counts) if (!NORMAL.includes(count.name)) this.drop(count);
  }

  private drop({ name, text, packets }: DropCount): void {
    const before = this.counts.get(name) ?? 0;
    this.counts.set(name, packets);
    const more = packets - before;
    const trouble = this.dropping.get(name);
    if (trouble === undefined) {
      if (more < MANY) return;
      this.dropping.set(name, { since: this.now(), from: before, quiet: 0 });
      this.say('warn', `frames are dropped: ${name}, ${more} by now (${text})`);
      return;
    }
    trouble.quiet = more > 0 ? 0 : trouble.quiet + 1;
    if (trouble.quiet < QUIET) return;
    this.dropping.delete(name);
    const frames = packets - trouble.from;
    this.say('info', `no more frames are dropped: ${name}, ${frames} in ${this.seconds(trouble.since)}`);
  }

  private seconds(since: number): string {
    return `${Math.max(1, Math.round((this.now() - since) / 1000))} s`;
  }

  private say(level: 'info' | 'warn', text: string): void {
    const now = this.now();
    if (now - this.minute >= MINUTE_MS) [this.minute, this.lines] = [now, 0];
    this.lines++;
    if (this.lines <= BURST) this.log[level](text);
    else if (this.lines === BURST + 1)
      this.log.warn('the network changes so often that the log leaves out lines about it for a minute');
  }
}

function protocolOf(ip: string): string {
  return ip.includes(':') ? 'neighbour discovery' : 'ARP';
}
