/**
 * One end of a TCP connection that trusts nobody, for the random test: it sends a text, keeps what
 * comes out of order, acknowledges with SACK and timestamps, and throws when a number of the other
 * side is not one that this connection has.
 */
import type { Random } from '../../support/seed.js';
import type { Seg } from './stage.js';

/** The largest window that an end has. */
const MOST = 24_000;
const u32 = (n: number) => n >>> 0;
const signed = (n: number) => n | 0;

export class End {
  received = '';
  isOpen = false;
  isMet = false;
  private readonly first: number;
  private una: number;
  private next: number;
  private expected = 0;
  private readonly later = new Map<number, string>();
  private newest = 0;
  private readonly born: number;
  private peerScale = 0;
  /** Bytes behind `una` that the other end lets us send. */
  private room = 0;

  constructor(
    private readonly random: Random,
    private readonly text: string,
    private readonly scale: number,
    private readonly hasTimestamps: boolean,
  ) {
    this.first = this.una = this.next = random.u32();
    this.born = random.u32();
  }

  get isDone(): boolean {
    return this.isOpen && this.una === u32(this.first + this.text.length);
  }

  syn(now: number): Seg {
    const isAnswer = this.isMet;
    const agreed = isAnswer && !this.hasTimestamps ? {} : { sackOk: true, scale: this.scale };
    const seq = u32(this.first - 1);
    return { ...this.seg(now, isAnswer ? 'SA' : 'S', ''), mss: 1460, ...agreed, seq, window: MOST };
  }

  /** Takes a SYN or SYN,ACK: it agrees on numbers. */
  meet(seg: Seg): void {
    this.isMet = true;
    this.expected = u32(seg.seq + 1);
    this.newest = seg.ts?.[0] ?? 0;
    this.peerScale = seg.scale ?? 0;
    this.room = seg.window;
  }

  /** Checks and takes a segment. Returns what it answers. */
  take(seg: Seg, now: number): Seg[] {
    if (seg.flags.includes('R')) throw new Error('reset');
    this.check(seg, now);
    const sent = signed(seg.ack - this.una);
    if (sent >= 0) {
      this.una = seg.ack;
      this.room = seg.window * 2 ** this.peerScale;
      if (this.room > MOST) throw new Error(`a window of ${this.room}`);
    }
    if (signed(this.next - this.una) < 0) this.next = this.una;
    if (seg.data === undefined) return [];
    if (signed(seg.seq - this.expected) >= 0) this.later.set(seg.seq, seg.data);
    for (let data = this.later.get(this.expected); data !== undefined; data = this.later.get(this.expected)) {
      this.later.delete(this.expected);
      this.received += data;
      this.expected = u32(this.expected + data.length);
    }
    return [this.seg(now, 'A', '')];
  }

  private check(seg: Seg, now: number): void {
    const acked = signed(seg.ack - this.first);
    if (acked < 0 || acked > this.text.length) throw new Error(`acknowledges ${acked} of ${this.text.length} bytes`);
    for (const edge of seg.sack ?? []) {
      const at = signed(edge - this.first);
      if (at < 0 || at > this.text.length) throw new Error(`SACK of byte ${at} of ${this.text.length}`);
    }
    if ((seg.ts !== undefined) !== this.hasTimestamps) throw new Error('timestamps were agreed on differently');
    if (seg.ts === undefined) return;
    const [value, echo] = seg.ts;
    const age = signed(this.born + now - echo);
    if (age < 0 || age > 120_000) throw new Error(`echoes a timestamp of ${age} ms ago`);
    // PAWS, with room for what was reordered on the way.
    if (signed(value - this.newest) < -5000) throw new Error(`its timestamp is ${signed(value - this.newest)} ms back`);
    if (signed(value - this.newest) > 0) this.newest = value;
  }

  /** New data, or the oldest again. */
  send(now: number): Seg[] {
    const left = this.text.length - signed(this.next - this.first);
    const free = this.room - signed(this.next - this.una);
    if (left > 0 && free > 0 && this.random.below(3) > 0) {
      const data = this.text.substr(signed(this.next - this.first), Math.min(1 + this.random.below(400), free));
      const seg = this.seg(now, 'PA', data, this.next);
      this.next = u32(this.next + data.length);
      return [seg];
    }
    if (this.una === this.next && (left === 0 || free > 0)) return [];
    const data = this.text.substr(signed(this.una - this.first), 100);
    return [this.seg(now, 'PA', data, this.una)];
  }

  seg(now: number, flags: string, data: string, seq = this.next): Seg {
    const blocks = [...this.later].slice(0, 2).flatMap(([at, text]) => [at, u32(at + text.length)]);
    const free = 4000 + this.random.below(MOST - 4000);
    return {
      flags,
      seq,
      ack: this.expected,
      window: free >> (this.hasTimestamps ? this.scale : 0),
      ...(this.hasTimestamps ? { ts: [u32(this.born + now), this.newest] as const } : {}),
      ...(blocks.length > 0 && data === '' && this.hasTimestamps ? { sack: blocks } : {}),
      ...(data === '' ? {} : { data }),
    };
  }
}
