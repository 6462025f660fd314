/**
 * Devices behind /dev/net/tun (Documentation/networking/tuntap). The kernel's side is a network
 * interface. The process has a file: each read or write is one frame, into or from the Umem. No
 * offloads are announced (TUNSETOFFLOAD), so the kernel completes partial checksums and segments
 * GSO packets itself. A TAP with the option gso takes both (gso-tap.ts).
 */

import {
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN,
  IFF_VNET_HDR,
  setInterfaceMac,
  setInterfaceMtu,
  setInterfaceUp,
  TUN_F_CSUM,
  TUN_F_TSO_ECN,
  TUN_F_TSO4,
  TUN_F_TSO6,
  TUN_F_USO4,
  TUN_F_USO6,
  tunSetInterface,
  tunSetOffload,
} from '../../sys/interface.js';
import { check, close, errno, open, readvAt, SystemError, writeAt } from '../../sys/libc.js';
import { addressAt } from '../../sys/memory.js';
import { HEADER as ETHERNET, TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { DeviceError, deviceError } from '../error.js';
import type { Umem } from '../umem.js';

/** Bytes of a struct iovec, and how many a file has. */
const IOVEC = 16;
const IOVECS = 2;
const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const EINTR = 4;
const ENOENT = 2;
const EACCES = 13;
const EBADFD = 77;
/** By errno: why /dev/net/tun cannot be opened, and what would help. */
const WHY_NOT: Readonly<Record<number, readonly [string, string]>> = {
  [ENOENT]: ['there is no /dev/net/tun', "'modprobe tun', or give the container --device /dev/net/tun"],
  [EACCES]: ['not permitted (open /dev/net/tun)', "run as root or with CAP_NET_ADMIN after 'chmod 666 /dev/net/tun'"],
};

export interface TapOptions {
  /** Ethernet address of the kernel's side, six bytes (tap only). */
  mac?: Uint8Array;
  /** Bytes, of the kernel's side. */
  mtu?: number;
  /** Takes and gives GSO packets in one piece (tap only). */
  gso?: boolean;
  /** Brings the kernel's side up; true when left out. */
  up?: boolean;
}

/** An open TAP or TUN interface as plain data, valid in every thread of the process. */
export interface TunHandle {
  readonly name: string;
  readonly fd: number;
  /** A virtio_net_hdr is in front of each frame. */
  readonly gso?: boolean;
}

/**
 * Opens a TAP interface; creates it, or attaches to a persistent one of this name. `name`: up to 15
 * characters; with %d, or '', the kernel numbers the interface. Throws a DeviceError.
 */
export function openTap(name: string, options: TapOptions = {}): TunHandle {
  return openFile(name, IFF_TAP | (options.gso === true ? IFF_VNET_HDR : 0), options);
}

/** The same for a TUN interface. */
export function openTunnel(name: string, options: TapOptions = {}): TunHandle {
  return openFile(name, IFF_TUN, options);
}

/** Removes the interface unless it is persistent. */
export function closeTun({ fd }: TunHandle): void {
  close(fd);
}

function openFile(wanted: string, flags: number, options: TapOptions): TunHandle {
  const shown = wanted.replace('%d', 'N');
  const fd = openTun(shown);
  try {
    const name = tunSetInterface(fd, wanted, flags | IFF_NO_PI);
    setOffloads(fd, options.gso === true);
    if (options.mac) setInterfaceMac(name, options.mac);
    if (options.mtu !== undefined) setInterfaceMtu(name, options.mtu);
    if (options.up ?? true) setInterfaceUp(name);
    return options.gso === true ? { name, fd, gso: true } : { name, fd };
  } catch (error) {
    close(fd);
    throw tunError(shown, error);
  }
}

/** A persistent interface keeps what a former process has announced: `gso` false is said, too. */
function setOffloads(fd: number, gso: boolean): void {
  const tcp = gso ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0;
  try {
    tunSetOffload(fd, gso ? tcp | TUN_F_USO4 | TUN_F_USO6 : 0);
  } catch {
    tunSetOffload(fd, tcp); // a kernel without USO
  }
}

/** What tap and tun have in common. The first `skip` bytes of a frame are not in the file. */
export abstract class TunFile implements Device {
  readonly kind = 'tap';
  readonly fd: number;
  readonly name: string;
  readonly stats: DeviceStats = newDeviceStats();
  protected readonly umemAddress: number;
  private readonly iov = new ArrayBuffer(IOVECS * IOVEC);
  /** struct iovec: address 64, length 64. */
  protected readonly iovWords = new Uint32Array(this.iov);
  /** A BigInt: V8 would allocate a number of this size at each call that it is given to. */
  protected readonly iovAddress = BigInt(addressAt(this.iov));
  private readonly room: number;
  protected closed = false;
  private gone = false;

  protected constructor(
    protected readonly umem: Umem,
    { name, fd }: TunHandle,
    private readonly skip: number,
  ) {
    this.umemAddress = addressAt(umem.buffer);
    this.room = umem.capacity - skip;
    this.iovWords[2] = this.room;
    this.name = name;
    this.fd = fd;
  }

  /** Fills in the first `skip` bytes of a received frame. */
  protected abstract fillHeader(offset: number): void;

  rx(batch: Batch): number {
    const before = batch.n;
    while (batch.n < batch.capacity && !this.closed) {
      const offset = this.umem.alloc();
      if (offset < 0) break;
      // The file cuts a long frame without an error. So a frame that fills the room counts as too
      // long, and the longest frame is one byte shorter than the room.
      this.putAddress(0, this.umemAddress + offset + this.skip);
      const len = readvAt(this.fd, this.iovAddress, 1);
      if (len > 0 && len < this.room) this.append(offset, len + this.skip, batch);
      else {
        this.umem.free(offset);
        if (len === this.room) this.stats.rxOversize++;
        else if (!this.mayReadAgain()) break;
      }
    }
    return batch.n - before;
  }

  protected putAddress(word: number, address: number): void {
    this.iovWords[word] = address >>> 0;
    this.iovWords[word + 1] = (address / 0x100000000) >>> 0;
  }

  /** After a read that failed: notes a fault. Returns true when a signal has interrupted it. */
  protected mayReadAgain(): boolean {
    const error = errno();
    if (error === EBADFD) this.gone = true;
    return error === EINTR;
  }

  protected append(offset: number, len: number, batch: Batch): void {
    this.fillHeader(offset);
    batch.push(offset, len);
    this.stats.rxPackets++;
    this.stats.rxBytes += len;
  }

  tx(batch: Batch): number {
    let sent = 0;
    for (let i = 0; i < batch.n; i++) {
      const offset = batch.offsets[i]!;
      const len = batch.lengths[i]!;
      if (this.write(offset, len)) {
        sent++;
        this.stats.txBytes += len;
      }
      this.umem.free(offset);
    }
    this.stats.txPackets += sent;
    this.stats.txDropped += batch.n - sent;
    batch.n = 0;
    return sent;
  }

  protected write(offset: number, len: number): boolean {
    if (this.closed || len <= this.skip) return false;
    return writeAt(this.fd, this.umemAddress + offset + this.skip, len - this.skip) > 0;
  }

  get fault(): string {
    return this.gone ? 'the interface is gone' : '';
  }

  reclaim(): void {
    this.closed = true;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    close(this.fd);
  }
}

/**
 * TAP: Ethernet frames. The interface is created; a persistent one of this name is attached to. It
 * is removed at close unless it is persistent.
 */
export class TapDevice extends TunFile {
  /** Opens an interface by its name (openTap), or takes over a handle. Throws a DeviceError. */
  constructor(umem: Umem, source: string | TunHandle, options: TapOptions = {}) {
    super(umem, typeof source === 'string' ? openTap(source, options) : source, 0);
  }

  protected fillHeader(): void {}
}

/**
 * TUN: IP packets. The caller sees Ethernet frames all the same: `rx` prepends an Ethernet header
 * with zero addresses, and `tx` leaves out the first 14 bytes. A frame must have no VLAN tag.
 */
export class TunDevice extends TunFile {
  /** As of TapDevice. Throws a DeviceError. */
  constructor(umem: Umem, source: string | TunHandle, options: TapOptions = {}) {
    super(umem, typeof source === 'string' ? openTunnel(source, options) : source, ETHERNET);
  }

  protected fillHeader(offset: number): void {
    const { u8 } = this.umem;
    const isV6 = u8[offset + ETHERNET]! >> 4 === 6;
    u8.fill(0, offset, offset + 12);
    this.umem.view.setUint16(offset + 12, isV6 ? TYPE_IPV6 : TYPE_IPV4);
  }
}

/** The kernel answers EINVAL when an interface of this name exists and is no TAP. */
function tunError(name: string, error: unknown): unknown {
  if (error instanceof SystemError && error.call === 'TUNSETIFF' && error.code === 'EINVAL')
    return new DeviceError(
      name,
      'an interface of this name exists and is no TAP',
      'choose another name, or another kind',
    );
  return deviceError(name, error);
}

function openTun(name: string): number {
  const fd = open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const why = WHY_NOT[errno()];
  if (why !== undefined) throw new DeviceError(name, ...why);
  try {
    check(fd, 'open /dev/net/tun');
  } catch (error) {
    throw deviceError(name, error);
  }
  return fd;
}
