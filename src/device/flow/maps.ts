/**
 * FlowMaps: the BPF maps of a flow table (layout.ts). The control thread makes them; each worker
 * maps their memory with `flowMemory`. What a program uses stays in the kernel when the process
 * ends.
 */
import { randomInt } from 'node:crypto';
import type { Block } from '../../stats/block.js';
import { BPF_F_MMAPABLE, createMap, deleteFromMap, MapType, updateMap } from '../../sys/bpf.js';
import { close } from '../../sys/libc.js';
import { mapShared } from '../../sys/memory.js';
import {
  CONTROL_WORDS,
  Control,
  DEVICES,
  FLOW_MAPS,
  type FlowMapFds,
  type FlowMapName,
  HOP_WORDS,
  hopRows,
  LEDGER_SHIFT,
  LINE_WORDS,
  PADDINGS,
  SLOTS,
  TOLD_WORDS,
  Told,
  WIDE_SHIFT,
} from './layout.js';
import type { FlowPins } from './pins.js';

const PAGE = 4096;
/** Version of the layout: maps of another one are not adopted. */
const LAYOUT = 4;

/** The memory of a flow table, as one thread sees it. */
export interface FlowMemory {
  readonly control: Int32Array;
  /** The control words as doubles. */
  readonly counts: Float64Array;
  readonly slots: Int32Array;
  readonly lines: Int32Array;
  readonly wide: Int32Array;
  /** The ledger as doubles and as words. */
  readonly ledger: Float64Array;
  readonly ledgerWords: Int32Array;
  readonly hops: Int32Array;
  readonly secret: ArrayLike<number>;
}

/** The maps of one director. */
export class FlowMaps {
  /** Keeps maps and programs when the process is killed; undefined: nothing does. */
  pins: FlowPins | undefined;
  private readonly control: Int32Array;
  /** The control words as doubles. */
  private readonly counts: Float64Array;

  /** `fds`: of maps that are there. Throws a SystemError. */
  constructor(readonly fds: FlowMapFds) {
    const block = mapped(fds.control, 4 * CONTROL_WORDS);
    this.control = words(block, CONTROL_WORDS);
    this.counts = new Float64Array(block.buffer, block.offset, CONTROL_WORDS / 2);
  }

  /**
   * New maps. `bits`: 2 to this power is the number of buckets, at most 16, since a slot has the
   * number of a line in LINE_BITS. `tcx`: devices of kind packet forward, too. Throws a
   * SystemError.
   */
  static make(bits: number, tcx = true, workers = 1): FlowMaps {
    const made: number[] = [];
    const create = (type: number, valueSize: number, entries: number, flags = 0) => {
      made.push(createMap({ type, keySize: 4, valueSize, entries, flags }));
      return made.at(-1)!;
    };
    const array = (bytes: number, entries: number) => create(MapType.array, bytes, entries, BPF_F_MMAPABLE);
    try {
      const fds = {
        control: array(4 * CONTROL_WORDS, 1),
        buckets: array(4 * SLOTS, 2 ** bits),
        lines: array(8 * LINE_WORDS, (SLOTS / 2) * 2 ** bits),
        wide: array(4 << WIDE_SHIFT, SLOTS * 2 ** bits),
        ledger: array(4 << LEDGER_SHIFT, SLOTS * 2 ** bits),
        hops: array(4 * HOP_WORDS, hopRows(bits)),
        devices: create(MapType.devMap, 4, DEVICES),
        claims: create(MapType.perCpuArray, 4, 1),
      };
      return new FlowMaps({ ...fds, tcx, bits, secret: newSecret() }).begin(workers);
    } catch (error) {
      for (const fd of made) close(fd);
      throw error;
    }
  }

  /**
   * Maps that a former process has left: `fdOf` opens one by its name. Undefined when they are not
   * as those that `make` makes; then they are closed. Throws a SystemError.
   */
  static adopt(bits: number, tcx: boolean, workers: number, fdOf: (name: FlowMapName) => number): FlowMaps | undefined {
    const opened = FLOW_MAPS.map((name) => [name, fdOf(name)] as const);
    const fds = Object.fromEntries(opened) as Record<FlowMapName, number>;
    const maps = new FlowMaps({ ...fds, tcx, bits, secret: [] });
    const { control } = maps;
    const secret = [...control.slice(Control.secret, Control.secret + 3)];
    if (control[Control.workers] === workers && control[Control.shape] === shapeOf(bits, tcx))
      return new FlowMaps({ ...maps.fds, secret });
    maps.close();
    return undefined;
  }

  /** Generation 1: a line of zeros is not in force. */
  private begin(workers: number): this {
    const { bits, tcx, secret } = this.fds;
    this.control[Control.generation] = 1;
    this.control[Control.workers] = workers;
    this.control[Control.shape] = shapeOf(bits, tcx);
    this.control.set(secret, Control.secret);
    return this;
  }

  /** No program forwards by the table any more. */
  turnOff(): void {
    Atomics.add(this.control, Control.off, 1);
  }

  /** Index of the interface of a device; 0: none. */
  interfaceOf(device: number): number {
    return this.control[Control.interfaces + device] ?? 0;
  }

  /**
   * Frames for the director's device `device` leave by this interface; 0: by none. `fromXdp`: XDP
   * programs redirect to it, besides classifiers.
   */
  setDevice(device: number, ifindex: number, fromXdp = true): void {
    if (device >= DEVICES) return;
    const key = new Uint8Array(Uint32Array.of(device).buffer);
    const at = Control.devices + (device >> 5);
    if (ifindex === 0) Atomics.and(this.control, at, ~(1 << device));
    if (ifindex === 0 || !fromXdp) deleteFromMap(this.fds.devices, key);
    else updateMap(this.fds.devices, key, new Uint8Array(Uint32Array.of(ifindex).buffer));
    Atomics.store(this.control, Control.interfaces + device, ifindex);
    if (ifindex !== 0) Atomics.or(this.control, at, 1 << device);
  }

  /** Frames are redirected to the device. */
  hasDevice(device: number): boolean {
    return device < DEVICES && (this.control[Control.devices + (device >> 5)]! & (1 << device)) !== 0;
  }

  /** What the director has counted. */
  get stats(): { used: number; written: number; noRoom: number; packets: number } {
    const sum = { used: 0, written: 0, noRoom: 0, packets: 0 };
    for (let at: number = Control.told; at < PADDINGS; at += TOLD_WORDS) {
      for (const key of ['used', 'written', 'noRoom'] as const) sum[key] += this.control[at + Told[key]]!;
      sum.packets += this.counts[(at + Told.packets) >> 1]!;
    }
    return sum;
  }

  /** Closes the maps. A program that still runs keeps them in the kernel. */
  close(): void {
    for (const name of FLOW_MAPS) close(this.fds[name]);
  }
}

/** The descriptors of another process as those of this one: `take` gives a duplicate. */
export function flowFds(fds: FlowMapFds, take: (fd: number) => number): FlowMapFds {
  const own = Object.fromEntries(FLOW_MAPS.map((name) => [name, take(fds[name])])) as Record<FlowMapName, number>;
  return { ...fds, ...own };
}

/** Version of the layout, size and use, as one word. */
function shapeOf(bits: number, tcx: boolean): number {
  return (LAYOUT << 16) | (bits << 8) | Number(tcx);
}

function newSecret(): number[] {
  return [0, 0, 0].map(() => randomInt(2 ** 32) | 0);
}

/** Maps the memory of a flow table for the calling thread. Throws a SystemError. */
export function flowMemory(fds: FlowMapFds): FlowMemory {
  const { control, buckets, lines, wide, ledger, hops, bits, secret } = fds;
  const count = SLOTS * 2 ** bits;
  const hopWords = HOP_WORDS * hopRows(bits);
  const block = mapped(control, 4 * CONTROL_WORDS);
  const rows = mapped(ledger, count << (LEDGER_SHIFT + 2));
  return {
    control: words(block, CONTROL_WORDS),
    counts: new Float64Array(block.buffer, block.offset, CONTROL_WORDS / 2),
    slots: words(mapped(buckets, 4 * count), count),
    lines: words(mapped(lines, 4 * LINE_WORDS * count), LINE_WORDS * count),
    wide: words(mapped(wide, count << (WIDE_SHIFT + 2)), count << WIDE_SHIFT),
    ledger: new Float64Array(rows.buffer, rows.offset, count << (LEDGER_SHIFT - 1)),
    ledgerWords: words(rows, count << LEDGER_SHIFT),
    hops: words(mapped(hops, 4 * hopWords), hopWords),
    secret,
  };
}

function mapped(fd: number, bytes: number): Block {
  return mapShared(fd, 0, Math.ceil(bytes / PAGE) * PAGE);
}

function words({ buffer, offset }: Block, length: number): Int32Array {
  return new Int32Array(buffer, offset, length);
}
