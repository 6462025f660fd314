import { readdirSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { interfaceMtu } from '../sys/interface.js';
import { addressAt, setsockopt } from '../sys/libc.js';
import { GSO_TCPV4, GSO_TCPV6, PACKET_IGNORE_OUTGOING, SOL_PACKET } from '../sys/packet-socket.js';
import { TCP } from '../wire/ipv4.js';
import { Batch } from './batch.js';
import { type Device, type DeviceStats, newDeviceStats } from './device.js';
import { DeviceError } from './error.js';
import { ethernetIndex } from './ethernet-index.js';
import { Segmenter } from './gso.js';
import { finishByLooks } from './partial-checksum.js';
import type { Umem } from './umem.js';

/** cap 0.2.1 never closes its libuv handle: were the object collected, the loop would hold freed memory. So none ever is. */
const kept: CapHandle[] = [];

/** What of the cap package is used; it has no types of its own. */
interface CapHandle {
  open(device: string, filter: string, bufferSize: number, buffer: Buffer): string;
  on(event: 'packet', listener: (bytes: number, truncated: boolean) => void): void;
  send(buffer: Buffer, length: number): void;
  close(): void;
}

export interface CapOptions {
  /** A libpcap filter for what comes in, like 'arp or host 10.0.0.100'. */
  filter?: string;
  /** The kernel's buffer, bytes. */
  bufferSize?: number;
  /** How many frames wait at most between two rx(). */
  queue?: number;
}

const LONGEST = 0x10000 + 64;
const ETHERNET = 14;

/**
 * A network interface through libpcap and the cap package: works anywhere, costs an event per frame. The events come by the
 * main thread's loop only, so it can't live in a worker, and frames arrive while that loop runs, not while `rx` is called.
 * Beware: cap 0.2.1 asserts that its socket never errs, so when the interface goes down or away, the process is aborted.
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
  private readonly longest: number;
  private readonly segmenter: Segmenter;
  private closed = false;

  /** Throws a DeviceError: no such interface, no privilege, bad filter, in a worker. */
  constructor(
    private readonly umem: Umem,
    readonly name: string,
    options: CapOptions = {},
  ) {
    if (!isMainThread) throw new DeviceError(name, 'libpcap cannot be used in a worker thread', "use kind 'packet'");
    ethernetIndex(name);
    this.longest = interfaceMtu(name) + ETHERNET + 4;
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
      throw new DeviceError(name, "libpcap's socket was not found, frames sent would come back", "use kind 'packet'");
    }
    this.handle.on('packet', (length, truncated) => this.arrived(length, truncated));
  }

  /** An event of the main loop: one frame is in `buffer`. */
  private arrived(length: number, truncated: boolean): void {
    if (truncated || length < ETHERNET) this.stats.rxOversize++;
    else if (length > this.longest && this.isSuperPacket(length)) this.segment();
    else if (length > this.umem.capacity) this.stats.rxOversize++;
    else this.enqueue(this.umem.put(this.buffer.subarray(0, length)), length);
  }

  /** TCP longer than the MTU: cut to segments as the sender would have made them for this MTU. */
  private isSuperPacket(length: number): boolean {
    const { buffer } = this;
    const v4 = buffer.readUInt16BE(12) === 0x0800;
    const l4 = ETHERNET + (v4 ? (buffer[ETHERNET]! & 15) << 2 : 40);
    if ((!v4 && buffer.readUInt16BE(12) !== 0x86dd) || buffer[ETHERNET + (v4 ? 9 : 6)] !== TCP) return false;
    const header = l4 + ((buffer[l4 + 12]! >> 4) << 2);
    const size = this.longest - 4 - header;
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
      finishByLooks(this.umem.view, frame, length);
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
    this.out.set(this.umem.u8.subarray(offset, offset + length));
    try {
      this.handle.send(this.out, length);
      return true;
    } catch {
      return false; // libpcap says no more than that the frame has not left
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
    throw new DeviceError(name, `libpcap is not to be had (${reason})`, "'apt install libpcap0.8'");
  }
}

/** The file descriptors of this process that are sockets. */
function sockets(): Set<string> {
  const isSocket = (fd: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // closed meanwhile: readdir's own
    }
  };
  return new Set(readdirSync('/proc/self/fd').filter(isSocket));
}

/**
 * What we send would come back as received. libpcap's filter 'inbound' loses the first frame (it is filtered in user space,
 * where the direction is not known), and cap has no pcap_setdirection: so the option is set on libpcap's socket itself,
 * the one that was not there before. Other kinds of socket refuse it.
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
  return new DeviceError(name, `libpcap refuses (${reason})`, `the filter was '${filter}'`);
}
