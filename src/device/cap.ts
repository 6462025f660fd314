/** The cap device: an interface through libpcap, by the cap package. */
import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { interfaceMtu } from '../sys/interface.js';
import { setsockopt } from '../sys/libc.js';
import { addressAt } from '../sys/memory.js';
import { GSO_TCPV4, GSO_TCPV6, PACKET_IGNORE_OUTGOING, SOL_PACKET } from '../sys/packet-socket.js';
import { HEADER as ETHERNET, TYPE_IPV4, TYPE_IPV6 } from '../wire/ethernet.js';
import { TCP } from '../wire/ipv4.js';
import { TAG } from '../wire/vlan.js';
import { Batch } from './batch.js';
import { type Device, type DeviceStats, newDeviceStats } from './device.js';
import { DeviceError } from './error.js';
import { ethernetIndex } from './ethernet-index.js';
import { Segmenter } from './gso.js';
import { LearnedMtus } from './learned-mtu.js';
import { completeIfPartial } from './partial-checksum.js';
import type { Umem } from './umem.js';

/**
 * Keeps every handle from the garbage collector. cap 0.2.1 never closes its libuv handle, and the
 * event loop would use the freed memory.
 */
const kept: CapHandle[] = [];

/** The part of the cap package that is used here. The package has no types. */
interface CapHandle {
  open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
  send(buffer: Buffer, length: number): void;
  close(): void;
}

export interface CapOptions {
  /** Filter for received frames, in pcap-filter(7) syntax: 'arp or host 10.0.0.100'. */
  filter?: string;
  /** Bytes of the kernel's buffer. */
  bufferSize?: number;
  /** Frames that may wait between two calls of rx(). */
  queue?: number;
}

/** Bytes of the longest frame that libpcap may give: a GSO packet and its Ethernet header. */
const LONGEST = 0x10000 + 64;

/**
 * A network interface through libpcap and the cap package. It works everywhere and costs an event a
 * frame. The events come by the event loop of the main thread. So the device cannot be used in a
 * worker thread, and frames arrive while the loop runs, not while `rx` is called.
 *
 * Caveat: cap 0.2.1 asserts that its socket has no error. It aborts the process when the interface
 * goes down or away.
 */
export class CapDevice implements Device {
  readonly kind = 'cap';
  readonly fd = -1;
  readonly stats: DeviceStats = newDeviceStats();
  private readonly handle: CapHandle;
  private readonly buffer = Buffer.from(new ArrayBuffer(LONGEST));
  private readonly out: Buffer;
  private readonly queue: Batch;
  private head = 0;
  private readonly mtu: number;
  private readonly learned = new LearnedMtus();
  private readonly segmenter: Segmenter;
  private closed = false;

  /**
   * Opens interface `name`. Throws a DeviceError: no such interface, no privilege, a bad filter, in
   * a worker thread.
   */
  constructor(
    private readonly umem: Umem,
    readonly name: string,
    options: CapOptions = {},
  ) {
    if (!isMainThread) throw new DeviceError(name, 'libpcap cannot be used in a worker thread', "use kind 'packet'");
    ethernetIndex(name);
    this.mtu = interfaceMtu(name);
    this.queue = new Batch(options.queue ?? 1024);
    this.out = Buffer.alloc(umem.frameSize);
    const bytes = new Uint8Array(this.buffer.buffer);
    this.segmenter = new Segmenter(umem, addressAt(umem.buffer), bytes, addressAt(bytes.buffer));
    this.handle = newHandle(name);
    const filter = options.filter ?? '';
    const before = sockets();
    try {
      this.handle.open(name, filter, options.bufferSize ?? 16 << 20, this.buffer);
    } catch (error) {
      throw openError(name, filter, error);
    }
    if (!ignoreOutgoing(before)) {
      this.handle.close();
      throw new DeviceError(
        name,
        "libpcap's socket was not found, and sent frames would be received again",
        "use kind 'packet'",
      );
    }
    this.handle.on('packet', (length, truncated) => this.arrived(length, truncated));
  }

  /** Handles an event of the main loop: one frame is in `buffer`. */
  private arrived(length: number, truncated: boolean): void {
    if (truncated || length < ETHERNET) this.stats.rxOversize++;
    else if (this.beginSegments(length)) this.segment();
    else if (length > this.umem.capacity) this.stats.rxOversize++;
    else this.enqueue(this.umem.put(this.buffer.subarray(0, length)), length);
  }

  /**
   * TCP longer than the MTU is segmented as its sender would have done for this MTU, or for a
   * smaller one that it was told of. Returns false for anything else.
   */
  private beginSegments(length: number): boolean {
    const { buffer } = this;
    const family = buffer.readUInt16BE(12) === TYPE_IPV6 ? 6 : 4;
    const mtu = this.learned.find(family, buffer, ETHERNET) ?? this.mtu;
    if (length <= (mtu < this.mtu ? mtu + ETHERNET : this.mtu + ETHERNET + TAG)) return false;
    const v4 = buffer.readUInt16BE(12) === TYPE_IPV4;
    const l4 = ETHERNET + (v4 ? (buffer[ETHERNET]! & 15) << 2 : 40);
    if ((!v4 && buffer.readUInt16BE(12) !== TYPE_IPV6) || buffer[ETHERNET + (v4 ? 9 : 6)] !== TCP) return false;
    const header = l4 + ((buffer[l4 + 12]! >> 4) << 2);
    const size = Math.min(mtu, this.mtu) + ETHERNET - header;
    return this.segmenter.begin(0, length, v4 ? GSO_TCPV4 : GSO_TCPV6, size, l4, false);
  }

  private segment(): void {
    while (this.segmenter.left > 0) {
      const frame = this.umem.alloc();
      if (frame < 0) {
        this.segmenter.left = 0;
        this.stats.rxDropped++;
        return;
      }
      this.enqueue(frame, this.segmenter.next(frame));
    }
  }

  private enqueue(frame: number, length: number): void {
    if (frame >= 0 && this.queue.push(frame, length)) {
      completeIfPartial(this.umem.view, frame, length);
      return;
    }
    if (frame >= 0) this.umem.free(frame);
    this.stats.rxDropped++;
  }

  rx(batch: Batch): number {
    const before = batch.n;
    const { queue } = this;
    while (this.head < queue.n && batch.push(queue.offsets[this.head]!, queue.lengths[this.head]!)) {
      this.stats.rxPackets++;
      this.stats.rxBytes += queue.lengths[this.head++]!;
    }
    if (this.head === queue.n) this.head = queue.n = 0;
    return batch.n - before;
  }

  tx(batch: Batch): number {
    let sent = 0;
    for (let i = 0; i < batch.n; i++) {
      const length = batch.lengths[i]!;
      const offset = batch.offsets[i]!;
      if (this.send(offset, length)) {
        sent++;
        this.stats.txBytes += length;
      }
      this.umem.free(offset);
    }
    this.stats.txPackets += sent;
    this.stats.txDropped += batch.n - sent;
    batch.n = 0;
    return sent;
  }

  private send(offset: number, length: number): boolean {
    if (this.closed) return false;
    this.learned.note(this.umem.u8, this.umem.view, offset, length);
    this.out.set(this.umem.u8.subarray(offset, offset + length));
    try {
      this.handle.send(this.out, length);
      return true;
    } catch {
      return false; // libpcap gives no reason
    }
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handle.close();
    for (; this.head < this.queue.n; this.head++) this.umem.free(this.queue.offsets[this.head]!);
    this.head = this.queue.n = 0;
  }
}

function newHandle(name: string): CapHandle {
  try {
    const { Cap } = createRequire(import.meta.url)('cap') as { Cap: new () => CapHandle };
    const handle = new Cap();
    kept.push(handle);
    return handle;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new DeviceError(name, `libpcap does not load (${reason})`, "'apt install libpcap0.8'");
  }
}

/** File descriptors of this process that are sockets. */
function sockets(): Set<string> {
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // closed meanwhile: the descriptor of readdir
    }
  };
  return new Set(readdirSync('/proc/self/fd').filter(isSocket));
}

/**
 * Sets PACKET_IGNORE_OUTGOING on libpcap's socket, or sent frames would be received again. The
 * filter 'inbound' does not help: libpcap filters the first frame in user space, where it does not
 * know the direction, and the frame is lost. The cap package has no pcap_setdirection. libpcap's
 * socket is the one that was not open before; other kinds of socket refuse the option. Returns
 * false when no socket took it.
 */
function ignoreOutgoing(before: Set<string>): boolean {
  const one = Int32Array.of(1);
  for (const fd of sockets())
    if (!before.has(fd) && setsockopt(Number(fd), SOL_PACKET, PACKET_IGNORE_OUTGOING, one, 4) === 0) return true;
  return false;
}

function openError(name: string, filter: string, error: unknown): DeviceError {
  const reason = (error as Error).message.split('\n')[0]!;
  if (/permi/i.test(reason)) return new DeviceError(name, 'not permitted', 'run as root or with CAP_NET_RAW');
  return new DeviceError(name, `libpcap refuses it (${reason})`, `the filter was '${filter}'`);
}
