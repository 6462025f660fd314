/**
 * TxSocket: sends frames from the Umem by sendmmsg(2), up to 64 frames a call, without a copy and
 * without an object a frame.
 *
 *     mmsghdr[64]  | name, iov, iovlen, control, flags | sent |      64 bytes each; iov points to
 *     iovec[64]    | base = Umem + offset | len |                    16 bytes each, written for each frame
 *
 * GSO packets (large-frames.ts) leave through a socket of their own, with virtio_net_hdr in front
 * of each (gso-header.ts): ordinary frames need none. A socket is bound with protocol 0, so it
 * receives nothing. PACKET_QDISC_BYPASS: what the driver does not take is dropped and counted,
 * never queued.
 */

import { check, close, errno, MSG_DONTWAIT, sendmmsgAt, socket } from '../../sys/libc.js';
import { addressAt } from '../../sys/memory.js';
import {
  AF_PACKET,
  bindPacket,
  PACKET_QDISC_BYPASS,
  PACKET_VNET_HDR,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
  setPacketOption,
  setQueue,
  VNET,
} from '../../sys/packet-socket.js';
import type { Batch } from '../batch.js';
import type { DeviceStats } from '../device.js';
import { writeGsoHeader } from '../gso-header.js';
import type { Umem } from '../umem.js';

const CHUNK = 64;
const MESSAGE = 64;
const IOVEC = 16;
/** Bytes. */
const SEND_BUFFER = 4 << 20;
const GSO_SEND_BUFFER = 16 << 20;
const ENOBUFS = 105;
const EMSGSIZE = 90;
const EINVAL = 22;

export class TxSocket {
  private readonly block = new ArrayBuffer(CHUNK * (MESSAGE + IOVEC));
  private readonly words = new Uint32Array(this.block);
  private readonly address = addressAt(this.block);
  private readonly umemAddress: number;

  /** Both of openTxSocket. `gsoFd`: −1 when there is none. */
  constructor(
    private readonly umem: Umem,
    private readonly stats: DeviceStats,
    private readonly fd: number,
    private readonly gsoFd = -1,
  ) {
    this.umemAddress = addressAt(umem.buffer);
    this.prepare();
  }

  /** Points each mmsghdr to its iovec. */
  private prepare(): void {
    for (let i = 0; i < CHUNK; i++) {
      const message = (i * MESSAGE) >> 2;
      this.putAddress(message + 4, this.address + CHUNK * MESSAGE + i * IOVEC);
      this.words[message + 6] = 1;
    }
  }

  private putAddress(word: number, address: number): void {
    this.words[word] = address >>> 0;
    this.words[word + 1] = (address / 0x100000000) >>> 0;
  }

  /** Sends the batch, frees its frames and empties it. Returns how many frames the kernel took. */
  send(batch: Batch): number {
    const n = batch.n;
    let sent = 0;
    for (let start = 0; start < n; ) {
      const end = this.endOfRun(batch, start);
      sent += this.sendChunk(batch, start, end - start);
      start = end;
    }
    for (let i = 0; i < n; i++) this.umem.free(batch.offsets[i]!);
    batch.n = 0;
    this.stats.txPackets += sent;
    this.stats.txDropped += n - sent;
    return sent;
  }

  /** Returns the end of the frames that the same socket sends in one call. */
  private endOfRun({ offsets, n }: Batch, start: number): number {
    const { largeFrom } = this.umem;
    const isLarge = offsets[start]! >= largeFrom;
    let end = start + 1;
    while (end < n && end - start < CHUNK && offsets[end]! >= largeFrom === isLarge) end++;
    return end;
  }

  private sendChunk(batch: Batch, start: number, n: number): number {
    const isLarge = batch.offsets[start]! >= this.umem.largeFrom;
    const before = isLarge ? VNET.length : 0;
    const fd = isLarge ? this.gsoFd : this.fd;
    for (let i = 0; i < n; i++) {
      const word = (CHUNK * MESSAGE + i * IOVEC) >> 2;
      const frame = batch.offsets[start + i]!;
      if (isLarge) writeGsoHeader(this.umem, frame, batch.lengths[start + i]!);
      this.putAddress(word, this.umemAddress + frame - before);
      this.words[word + 2] = batch.lengths[start + i]! + before;
    }
    let sent = 0;
    for (let i = 0; i < n; ) {
      const taken = sendmmsgAt(fd, this.address + i * MESSAGE, n - i, MSG_DONTWAIT);
      for (let k = 0; k < taken; k++) this.stats.txBytes += batch.lengths[start + i + k]!;
      sent += Math.max(0, taken);
      i += Math.max(0, taken);
      if (taken > 0) continue;
      if (!isThisFrameOnly(errno())) break;
      i++;
    }
    return sent;
  }
}

/**
 * Opens a socket that sends by interface number `ifindex`. `gso`: it sends GSO packets. Returns its
 * descriptor, which the caller closes. Throws a SystemError.
 */
export function openTxSocket(ifindex: number, gso = false): number {
  const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
  try {
    setPacketOption(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1, 'PACKET_QDISC_BYPASS');
    if (gso) setPacketOption(fd, SOL_PACKET, PACKET_VNET_HDR, 1, 'PACKET_VNET_HDR');
    setQueue(fd, 'send', gso ? GSO_SEND_BUFFER : SEND_BUFFER);
    bindPacket(fd, ifindex, 0);
  } catch (error) {
    close(fd);
    throw error;
  }
  return fd;
}

/**
 * True when the error concerns one frame (too long, too short, refused by the driver's queue) and
 * the next frames can still be sent. Any other error, such as ENETDOWN, concerns all of them.
 */
function isThisFrameOnly(error: number): boolean {
  return error === ENOBUFS || error === EMSGSIZE || error === EINVAL;
}
