/**
 * Two directors that get the same frames at the same times: one behind the program in the kernel,
 * one without offload. What leaves must be equal, frame by frame; what they know, whenever they
 * are compared.
 *
 *     frame ─┬─► program ─ forwarded ─────┬─► left ┐
 *            │      └─ others ─► director ┘        ├─ equal
 *            └─► director ───────────────────► left┘
 */
import { ENTRY_WORDS, HASH, NEXT } from '../../../../src/conntrack/entry.js';
import { beforeMessage } from '../../../../src/control/engine/flow-offload.js';
import type { Message } from '../../../../src/control/engine/messages.js';
import type { InProcessDirector } from '../../../../src/control/inprocess.js';
import type { Director } from '../../../../src/dataplane/director.js';
import { GAUGES } from '../../../../src/stats/counters.js';
import { type FlowKernel, type FlowKernelOptions, inFrontOf } from '../../../support/flow-kernel.js';
import { rule } from '../../fastpath/network.js';
import type { Left } from '../../fastpath/side.js';
import { directorFor } from './network.js';

/** Larger than the number of services and of destinations. */
const SLOTS = 64;

export class Pair {
  /** The frames that left because of the last frame or step of the clock. */
  left: readonly Left[] = [];
  private readonly outlets: readonly [Left[], Left[]];

  private constructor(
    readonly on: InProcessDirector,
    readonly off: InProcessDirector,
    readonly kernel: FlowKernel,
    outlets: readonly [Left[], Left[]],
  ) {
    this.outlets = outlets;
  }

  /** `connections`: lines of each connection table. */
  static async of(connections: number, options: FlowKernelOptions): Promise<Pair> {
    const outlets: [Left[], Left[]] = [[], []];
    const keep = (side: 0 | 1) => (device: number, bytes: Uint8Array) => outlets[side].push({ device, bytes });
    const on = await directorFor(connections, keep(0));
    const off = await directorFor(connections, keep(1));
    return new Pair(
      on,
      off,
      inFrontOf(on, (frame) => outlets[0].push(frame), options),
      outlets,
    );
  }

  /** Returns true when what left is equal. */
  receive(device: number, bytes: Uint8Array): boolean {
    this.on.receive(device, bytes);
    this.off.receive(device, bytes);
    return this.isEqualLeft();
  }

  /**
   * Moves both clocks, until no connection waits whose end has passed: the director ends a limited
   * number at once, and the programs forward packets of those that wait, as the kernel's IPVS does.
   */
  advance(to: number): boolean {
    for (let i = 0; i <= this.on.director.connections.table.live >> 8; i++) {
      this.on.advance(to);
      this.off.advance(to);
    }
    return this.isEqualLeft();
  }

  async edit(line: string): Promise<boolean> {
    await rule(this.on, line);
    await rule(this.off, line);
    return this.isEqualLeft();
  }

  /** What a worker does with a message. */
  tell(message: Message, change: (d: Director) => void): boolean {
    beforeMessage(this.kernel.offload, message);
    change(this.on.director);
    change(this.off.director);
    return this.isEqualLeft();
  }

  private isEqualLeft(): boolean {
    const [on, off] = this.outlets;
    this.left = off.splice(0);
    const others = on.splice(0);
    return (
      others.length === this.left.length &&
      this.left.every(
        ({ device, bytes }, i) => device === others[i]!.device && Buffer.compare(bytes, others[i]!.bytes) === 0,
      )
    );
  }

  /** The first difference of tables, counters, gauges and neighbours; '': there is none. */
  difference(): string {
    this.kernel.offload.read();
    const [on, off] = [this.on.director, this.off.director];
    return (
      tables(on, off) ||
      (['totals', 'destinations', 'gauges', 'frames', 'neighbours'] as const).find(
        (name) => parts(on)[name] !== parts(off)[name],
      ) ||
      ''
    );
  }
}

/** Every word of both connection tables. The order of a bucket's chain depends on the key of its hash. */
function tables(on: Director, off: Director): string {
  const [mine, theirs] = [on.connections.table, off.connections.table];
  if (mine.live !== theirs.live || mine.highWater !== theirs.highWater)
    return `${mine.live} of ${mine.highWater} connections, ${theirs.live} of ${theirs.highWater} without offload`;
  const end = (theirs.highWater + 1) * ENTRY_WORDS;
  for (let at = 0; at < end; at++) {
    const word = at % ENTRY_WORDS;
    if (mine.words[at] !== theirs.words[at] && word !== NEXT && word !== HASH)
      return `word ${word} of entry ${Math.floor(at / ENTRY_WORDS)}: ${mine.words[at]}, ${theirs.words[at]} without offload`;
  }
  return '';
}

function parts({ counters, umem, neighbours }: Director) {
  const { values, gauges } = counters;
  return {
    totals: values.subarray(0, counters.serviceRow(SLOTS)).join(),
    destinations: values.subarray(counters.destinationRow(0), counters.destinationRow(SLOTS)).join(),
    gauges: gauges.subarray(0, SLOTS * GAUGES).join(),
    frames: String(umem.freeFrames),
    neighbours: neighbours.all.map(({ used, state, macHi, macLo }) => [used, state, macHi, macLo].join()).join(';'),
  };
}
