/**
 * Devices behind /dev/net/tun. The kernel's side is a network interface; ours is a file, one frame a read or write, straight
 * from and into the Umem. The kernel finishes checksums and cuts super-packets itself here, as we announce no offloads.
 */

import {
  IFF_NO_PI,
  IFF_TAP,
  IFF_TUN,
  setInterfaceMac,
  setInterfaceMtu,
  setInterfaceUp,
  tunSetInterface,
} from '../../sys/interface.js';
import { addressAt, check, close, errno, open, readAt, SystemError, writeAt } from '../../sys/libc.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { DeviceError, deviceError } from '../error.js';
import type { Umem } from '../umem.js';

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const EINTR = 4;
const ENOENT = 2;
const ETHERNET = 14;

export interface TapOptions {
  /** The kernel's side: its Ethernet address, six bytes (tap only). */
  mac?: Uint8Array;
  mtu?: number;
  /** Brings the kernel's side up (true). */
  up?: boolean;
}

/** What tap and tun share: `skip` is how many bytes of each frame the kernel's side has no part in. */
abstract class TunFile implements Device {
  readonly kind = 'tap';
  readonly fd: number;
  readonly name: string;
  readonly stats: DeviceStats = newDeviceStats();
  private readonly umemAddress: number;
  private readonly room: number;
  private closed = false;

  protected constructor(
    protected readonly umem: Umem,
    name: string,
    flags: number,
    private readonly skip: number,
    options: TapOptions,
  ) {
    this.umemAddress = addressAt(umem.buffer);
    this.room = umem.capacity - skip;
    this.fd = openTun(name);
    try {
      this.name = tunSetInterface(this.fd, name, flags | IFF_NO_PI);
      if (options.mac) setInterfaceMac(this.name, options.mac);
      if (options.mtu !== undefined) setInterfaceMtu(this.name, options.mtu);
      if (options.up ?? true) setInterfaceUp(this.name);
    } catch (error) {
      close(this.fd);
      throw tunError(name, error);
    }
  }

  /** Completes a frame whose bytes from `skip` on have arrived. */
  protected abstract arrived(offset: number): void;

  rx(batch: Batch): number {
    const before = batch.n;
    while (batch.n < batch.capacity && !this.closed) {
      const offset = this.umem.alloc();
      if (offset < 0) break;
      // tun cuts without a word, so a frame that fills all there is counts as too long: one byte of the Umem's is given up.
      const len = readAt(this.fd, this.umemAddress + offset + this.skip, this.room);
      if (len > 0 && len < this.room) this.give(offset, len + this.skip, batch);
      else {
        this.umem.free(offset);
        if (len === this.room) this.stats.rxOversize++;
        else if (errno() !== EINTR) break;
      }
    }
    return batch.n - before;
  }

  private give(offset: number, len: number, batch: Batch): void {
    this.arrived(offset);
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

  private write(offset: number, len: number): boolean {
    if (this.closed || len <= this.skip) return false;
    return writeAt(this.fd, this.umemAddress + offset + this.skip, len - this.skip) > 0;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    close(this.fd);
  }
}

/** Ethernet frames. The interface is made, or attached to if it is there and persistent; it goes when closed, unless persistent. */
export class TapDevice extends TunFile {
  /** `name` up to 15 characters; '' or one with %d: the kernel numbers it. Throws a DeviceError. */
  constructor(umem: Umem, name: string, options: TapOptions = {}) {
    super(umem, name, IFF_TAP, 0, options);
  }

  protected arrived(): void {}
}

/**
 * IP packets. They come and go as frames all the same, so that nothing else has to know: `rx` puts an Ethernet header of
 * zero addresses in front, `tx` leaves out the one that is there (14 bytes; a VLAN tag has no place here).
 */
export class TunDevice extends TunFile {
  constructor(umem: Umem, name: string, options: TapOptions = {}) {
    super(umem, name, IFF_TUN, ETHERNET, options);
  }

  protected arrived(offset: number): void {
    const { u8 } = this.umem;
    const isV6 = u8[offset + ETHERNET]! >> 4 === 6;
    u8.fill(0, offset, offset + 12);
    u8[offset + 12] = isV6 ? 0x86 : 0x08;
    u8[offset + 13] = isV6 ? 0xdd : 0x00;
  }
}

/** The kernel says EINVAL of an interface that is there already and is something else. */
function tunError(name: string, error: unknown): unknown {
  if (error instanceof SystemError && error.call === 'TUNSETIFF' && error.code === 'EINVAL')
    return new DeviceError(
      name,
      'an interface of this name is there, and no TAP',
      'choose another name, or another kind',
    );
  return deviceError(name, error);
}

function openTun(name: string): number {
  const fd = open('/dev/net/tun', O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  if (errno() === ENOENT)
    throw new DeviceError(
      name,
      'there is no /dev/net/tun',
      "'modprobe tun', or give the container --device /dev/net/tun",
    );
  try {
    check(fd, 'open /dev/net/tun');
  } catch (error) {
    throw deviceError(name, error);
  }
  return fd;
}
