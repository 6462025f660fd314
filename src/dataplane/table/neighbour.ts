/**
 * Next hops: (device, IP) -> MAC. Numbers name them, so that routes and caches hold small integers.
 *
 *     none ──use──► incomplete ──reply──► reachable ──60 s old and used──► probing (still used) ──reply──► reachable
 *                       └─ 3 requests unanswered ─► failed (frames dropped) ─use after 1 s─► incomplete
 *
 * Frames for a neighbour that is not resolved yet wait in its queue. Who asks, our own ARP or the kernel, is not decided
 * here: `wanted` lists the numbers that need asking, the owner of the links empties it.
 */
import { AddressIndex } from '../../service/table.js';

export const NeighbourState = { none: 0, incomplete: 1, reachable: 2, probing: 3, failed: 4, permanent: 5 } as const;
/** Frames one neighbour may keep waiting. */
const QUEUE = 64;
/** More next hops than any real network has: a sender of random addresses must not fill the memory. */
const MOST = 16384;
const REQUESTS = 3;
const REQUEST_EVERY = 1000;
const REACHABLE_FOR = 60_000;
/** The kernel, which resolves for us on its own interfaces, is told this often (ms) that a neighbour is in use. */
const CONFIRM_EVERY = 30_000;

export interface Waiting {
  readonly frame: number;
  readonly len: number;
  /** Made by the director itself: no frame that came in waits for its fate. */
  readonly originated: boolean;
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
  /** Devices that have no neighbours to find (packets for the host's own routing): every hop is there at once. */
  readonly pointToPoint = new Set<number>();
  /** Numbers of neighbours that must be asked for now. */
  readonly wanted: number[] = [];
  /** Frames that wait with any of them. */
  waiting = 0;
  private index = new AddressIndex();

  constructor() {
    // Number 0 is what all are that do not fit: never resolved, never asked for.
    const overflow = new Neighbour(0, 0, 0, new Int32Array(4));
    overflow.state = NeighbourState.failed;
    overflow.since = Number.POSITIVE_INFINITY;
    this.all.push(overflow);
  }

  /** The neighbour's number; made (unresolved) when it is new. IPv4: words 0..2 are 0. */
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

  /** Undefined when nothing was ever sent to, or heard of, this address. */
  known(device: number, family: number, a0: number, a1: number, a2: number, a3: number): Neighbour | undefined {
    return this.all[this.index.find(a0, a1, a2, a3, device, family)];
  }

  /** It is not usable but wanted: it is asked for. False: it failed a moment ago, there is nothing to wait for. */
  want(neighbour: Neighbour, now: number): boolean {
    if (neighbour.state === NeighbourState.incomplete) return true;
    if (neighbour.state === NeighbourState.failed && now - neighbour.since < REQUEST_EVERY) return false;
    this.ask(neighbour, NeighbourState.incomplete, now, 1);
    return true;
  }

  /**
   * Once the list is half full: forgets those that are of no use. Numbers change: whoever keeps some must look up again.
   * True when anything was done.
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

  /** A MAC was learnt. The caller sends what waits (`waiting`, in order) and empties it. */
  resolve(neighbour: Neighbour, macHi: number, macLo: number, now: number, permanent = false): void {
    neighbour.macHi = macHi;
    neighbour.macLo = macLo;
    neighbour.state = permanent ? NeighbourState.permanent : NeighbourState.reachable;
    neighbour.since = now;
    neighbour.used = false;
  }

  /** The kernel (or an administrator) says it cannot be reached, or took it back. */
  forget(neighbour: Neighbour, failed: boolean, now: number): void {
    neighbour.state = failed ? NeighbourState.failed : NeighbourState.none;
    neighbour.since = now;
  }

  /**
   * Once in a while: asks again, gives up, looks at what has grown old. `onFailed` gets the neighbours whose waiting
   * frames are lost (it empties `waiting`). `resolves(device)`: only those age here. The kernel ages its own, and asks
   * again for what is used; as it does not see our packets, it is told.
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
