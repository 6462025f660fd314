/**
 * The neighbour table: (device, IP) -> MAC. Neighbours have numbers, so that routes and caches hold
 * small integers.
 *
 *      none ──use──► incomplete ──reply──► reachable ──60 s old and used──► probing (still used) ──reply──► reachable
 *                        └─ 3 requests unanswered ─► failed (frames dropped) ─use after 1 s─► incomplete
 *
 * Frames for an unresolved neighbour wait in its queue. This file does not decide who asks, the
 * director's ARP or the kernel: `wanted` lists the numbers to resolve, the owner of the links
 * empties it.
 */
import { AddressIndex } from '../../service/address-index.js';

export const NeighbourState = { none: 0, incomplete: 1, reachable: 2, probing: 3, failed: 4, permanent: 5 } as const;
/** Limit of frames that wait for one neighbour. */
const QUEUE = 64;
/**
 * Limit of neighbours, above any real network: a sender of random addresses must not fill the
 * memory.
 */
const MOST = 16384;
const REQUESTS = 3;
const REQUEST_EVERY = 1000;
const REACHABLE_FOR = 60_000;
/**
 * The kernel resolves neighbours on its own interfaces. The director tells it this often (ms) that
 * a neighbour is in use.
 */
const CONFIRM_EVERY = 30_000;

export interface Waiting {
  readonly frame: number;
  readonly len: number;
  /** The director made this frame: no received frame waits for a verdict. */
  readonly originated: boolean;
  /** A trace is about the frame. */
  readonly traced?: TracedFrame | undefined;
}

/** Tells a trace what became of a frame that waited. */
export interface TracedFrame {
  left(neighbour: Neighbour, frame: number, len: number): void;
  dropped(reason: number): void;
}

export class Neighbour {
  macHi = 0;
  macLo = 0;
  state: number = NeighbourState.none;
  /** ms of the last request, reply or failure. */
  since = 0;
  requests = 0;
  /** Used since it was last confirmed. */
  used = false;
  readonly waiting: Waiting[] = [];

  constructor(
    public id: number,
    readonly device: number,
    readonly family: number,
    readonly words: Int32Array,
  ) {}

  get usable(): boolean {
    return (
      this.state === NeighbourState.reachable ||
      this.state >= NeighbourState.permanent ||
      this.state === NeighbourState.probing
    );
  }
  get permanent(): boolean {
    return this.state === NeighbourState.permanent;
  }
  get full(): boolean {
    return this.waiting.length >= QUEUE;
  }
}

export class Neighbours {
  readonly all: Neighbour[] = [];
  /**
   * Devices without neighbours (packets for the host's own routing): every next hop is resolved at
   * once.
   */
  readonly pointToPoint = new Set<number>();
  /** Numbers of neighbours to resolve now. */
  readonly wanted: number[] = [];
  /** Number of frames that wait, for all neighbours. */
  waiting = 0;
  /** Called when frames to a neighbour must take another MAC address, or none. */
  onChange: ((neighbour: Neighbour) => void) | undefined;
  private index = new AddressIndex();

  constructor() {
    // Number 0 stands for every neighbour beyond the limit: never resolved, never asked for.
    const overflow = new Neighbour(0, 0, 0, new Int32Array(4));
    overflow.state = NeighbourState.failed;
    overflow.since = Number.POSITIVE_INFINITY;
    this.all.push(overflow);
  }

  /**
   * Returns the neighbour's number. Creates an unresolved neighbour for a new address. IPv4: words
   * 0 to 2 are 0.
   */
  idOf(device: number, family: number, a0: number, a1: number, a2: number, a3: number): number {
    const known = this.index.find(a0, a1, a2, a3, device, family);
    if (known >= 0) return known;
    if (this.all.length >= MOST) return 0;
    const neighbour = new Neighbour(this.all.length, device, family, Int32Array.of(a0, a1, a2, a3));
    if (this.pointToPoint.has(device)) neighbour.state = NeighbourState.permanent;
    this.all.push(neighbour);
    this.index.set(a0, a1, a2, a3, device, family, neighbour.id);
    return neighbour.id;
  }

  /**
   * Returns the neighbour, undefined when the director never sent to this address and never
   * received from it.
   */
  known(device: number, family: number, a0: number, a1: number, a2: number, a3: number): Neighbour | undefined {
    return this.all[this.index.find(a0, a1, a2, a3, device, family)];
  }

  /**
   * Starts to resolve a neighbour that is not usable. Returns false when it failed less than a
   * second ago: frames need not wait.
   */
  want(neighbour: Neighbour, now: number): boolean {
    if (neighbour.state === NeighbourState.incomplete) return true;
    if (neighbour.state === NeighbourState.failed && now - neighbour.since < REQUEST_EVERY) return false;
    this.ask(neighbour, NeighbourState.incomplete, now, 1);
    return true;
  }

  /** Removes the neighbours from number `first` on, which nothing may name any more. */
  forgetAfter(first: number): void {
    for (const { words, device, family } of this.all.splice(first))
      this.index.delete(words[0]!, words[1]!, words[2]!, words[3]!, device, family);
  }

  /**
   * Removes unused neighbours once the list is half full. The numbers change: owners of numbers
   * must look them up again. Returns true when it removed any.
   */
  collect(): boolean {
    if (this.all.length < MOST / 2) return false;
    const kept = this.all.filter((one) => one.id === 0 || one.usable || one.waiting.length > 0);
    if (kept.length === this.all.length) return false;
    this.index = new AddressIndex();
    this.wanted.length = 0;
    this.all.length = 0;
    for (const one of kept) this.renumber(one);
    return true;
  }

  private renumber(one: Neighbour): void {
    const [a0, a1, a2, a3] = one.words;
    one.id = this.all.push(one) - 1;
    if (one.id !== 0) this.index.set(a0!, a1!, a2!, a3!, one.device, one.family, one.id);
  }

  /**
   * Stores a learnt MAC. The caller then sends the frames in `waiting`, in order, and empties it.
   */
  resolve(neighbour: Neighbour, macHi: number, macLo: number, now: number, permanent = false): void {
    if (neighbour.macHi !== macHi || neighbour.macLo !== macLo) this.onChange?.(neighbour);
    neighbour.macHi = macHi;
    neighbour.macLo = macLo;
    neighbour.state = permanent ? NeighbourState.permanent : NeighbourState.reachable;
    neighbour.since = now;
    neighbour.used = false;
  }

  /**
   * The kernel or an administrator says that the neighbour cannot be reached, or removed its entry.
   */
  forget(neighbour: Neighbour, failed: boolean, now: number): void {
    this.onChange?.(neighbour);
    neighbour.state = failed ? NeighbourState.failed : NeighbourState.none;
    neighbour.since = now;
  }

  /** The neighbours of a device that failed may be asked for at once: its link is back. */
  forgetFailures(device: number): void {
    for (const neighbour of this.all)
      if (neighbour.device === device && neighbour.id !== 0 && neighbour.state === NeighbourState.failed)
        neighbour.state = NeighbourState.none;
  }

  /**
   * Asks again, gives up, and confirms old entries. `onFailed` gets the neighbours whose waiting
   * frames are lost, and empties `waiting`. `resolves(device)`: the director resolves neighbours on
   * this device; only these entries age here. The kernel ages its own entries and confirms those in
   * use; it does not see the director's packets, so it is told.
   */
  tick(now: number, resolves: (device: number) => boolean, onFailed: (neighbour: Neighbour) => void): void {
    for (const neighbour of this.all) {
      if (neighbour.state === NeighbourState.incomplete || neighbour.state === NeighbourState.probing)
        this.retry(neighbour, now, onFailed);
      else if (neighbour.state === NeighbourState.reachable && neighbour.used)
        this.confirm(neighbour, now, resolves(neighbour.device));
    }
  }

  private confirm(neighbour: Neighbour, now: number, resolves: boolean): void {
    if (now - neighbour.since < (resolves ? REACHABLE_FOR : CONFIRM_EVERY)) return;
    if (resolves) return this.ask(neighbour, NeighbourState.probing, now, 1);
    this.ask(neighbour, neighbour.state, now, 0);
    neighbour.used = false;
  }

  private retry(neighbour: Neighbour, now: number, onFailed: (neighbour: Neighbour) => void): void {
    if (now - neighbour.since < REQUEST_EVERY) return;
    if (neighbour.requests < REQUESTS) {
      this.ask(neighbour, neighbour.state, now, neighbour.requests + 1);
      return;
    }
    this.forget(neighbour, true, now);
    onFailed(neighbour);
  }

  private ask(neighbour: Neighbour, state: number, now: number, requests: number): void {
    neighbour.state = state;
    neighbour.since = now;
    neighbour.requests = requests;
    this.wanted.push(neighbour.id);
  }
}
