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
  type FlowMapFds,
  HOP_WORDS,
  HOPS,
  LEDGER_SHIFT,
  LINE_WORDS,
  WAYS,
  WIDE_SHIFT,
} from './layout.js';

const PAGE = 4096;
const NAMES = ['control', 'buckets', 'wide', 'ledger', 'hops', 'devices', 'claims'] as const;

/** The memory of a flow table, as one thread sees it. */
export interface FlowMemory {
  readonly control: Int32Array;
  /** The control words as doubles. */
  readonly counts: Float64Array;
  readonly lines: Int32Array;
  readonly wide: Int32Array;
  /** The ledger as doubles and as words. */
  readonly ledger: Float64Array;
  readonly ledgerWords: Int32Array;
  readonly hops: Int32Array;
  readonly bits: number;
  readonly secret: ArrayLike<number>;
}

/** The maps of one director. */
export class FlowMaps {
  readonly fds: FlowMapFds;
  private readonly control: Int32Array;

  /** `bits`: 2 to this power is the number of buckets. Throws a SystemError. */
  constructor(bits: number, tcx = true) {
    const made: number[] = [];
    const array = (bytes: number, entries: number) => {
      const shape = { type: MapType.array, keySize: 4, valueSize: bytes, entries, flags: BPF_F_MMAPABLE };
      made.push(createMap(shape));
      return made.at(-1)!;
    };
    try {
      const control = array(4 * CONTROL_WORDS, 1);
      const buckets = array(4 * LINE_WORDS * WAYS, 2 ** bits);
      const wide = array(4 << WIDE_SHIFT, WAYS * 2 ** bits);
      const ledger = array(4 << LEDGER_SHIFT, WAYS * 2 ** bits);
      const hops = array(4 * HOP_WORDS, HOPS);
      made.push(createMap({ type: MapType.devMap, keySize: 4, valueSize: 4, entries: DEVICES }));
      const devices = made.at(-1)!;
      made.push(createMap({ type: MapType.perCpuArray, keySize: 4, valueSize: 4, entries: 1 }));
      const claims = made.at(-1)!;
      this.fds = { control, buckets, wide, ledger, hops, devices, claims, tcx, bits, secret: newSecret() };
      this.control = words(mapped(control, 4 * CONTROL_WORDS), CONTROL_WORDS);
      this.begin();
    } catch (error) {
      for (const fd of made) close(fd);
      throw error;
    }
  }

  /** Generation 1: a line of zeros is not in force. */
  private begin(): void {
    this.control[Control.generation] = 1;
    this.control.set(this.fds.secret, Control.secret);
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
    const { control } = this;
    const [packets] = new Float64Array(control.slice(Control.packets, Control.packets + 2).buffer);
    const [used, written, noRoom] = [Control.used, Control.written, Control.noRoom].map((at) => control[at]!);
    return { used: used!, written: written!, noRoom: noRoom!, packets: packets! };
  }

  /** Closes the maps. A program that still runs keeps them in the kernel. */
  close(): void {
    for (const name of NAMES) close(this.fds[name]);
  }
}

function newSecret(): number[] {
  return [0, 0, 0].map(() => randomInt(2 ** 32) | 0);
}

/** Maps the memory of a flow table for the calling thread. Throws a SystemError. */
export function flowMemory({ control, buckets, wide, ledger, hops, bits, secret }: FlowMapFds): FlowMemory {
  const lines = WAYS * 2 ** bits;
  const block = mapped(control, 4 * CONTROL_WORDS);
  const rows = mapped(ledger, lines << (LEDGER_SHIFT + 2));
  return {
    control: words(block, CONTROL_WORDS),
    counts: new Float64Array(block.buffer, block.offset, CONTROL_WORDS / 2),
    lines: words(mapped(buckets, 4 * LINE_WORDS * lines), LINE_WORDS * lines),
    wide: words(mapped(wide, lines << (WIDE_SHIFT + 2)), lines << WIDE_SHIFT),
    ledger: new Float64Array(rows.buffer, rows.offset, lines << (LEDGER_SHIFT - 1)),
    ledgerWords: words(rows, lines << LEDGER_SHIFT),
    hops: words(mapped(hops, 4 * HOP_WORDS * HOPS), HOP_WORDS * HOPS),
    bits,
    secret,
  };
}

function mapped(fd: number, bytes: number): Block {
  return mapShared(fd, 0, Math.ceil(bytes / PAGE) * PAGE);
}

function words({ buffer, offset }: Block, length: number): Int32Array {
  return new Int32Array(buffer, offset, length);
}
