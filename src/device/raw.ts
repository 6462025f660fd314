/**
 * Raw IP sockets (raw(7), by the raw-socket package), which use the host's own routing. They work
 * in the main thread only: the package belongs to its event loop. A packet costs an event and a
 * copy, so no device uses them on its packet path.
 */
import { createRequire } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { format4, format6, words6 } from '../wire/address.js';
import { DeviceError } from './error.js';

/** The part of the raw-socket package that is used here. The package has no types. */
export interface RawSocket {
  on(event: 'message', listener: (packet: Buffer, source: string) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  send(
    packet: Buffer,
    offset: number,
    length: number,
    address: string,
    done: (error: Error | null, bytes: number) => void,
  ): void;
  setOption(level: number, option: number, value: number): void;
  close(): void;
}

interface RawPackage {
  AddressFamily: { IPv4: number; IPv6: number };
  SocketLevel: Record<'IPPROTO_IP' | 'IPPROTO_IPV6', number>;
  SocketOption: Record<'IP_HDRINCL', number>;
  createSocket(options: { protocol: number; addressFamily: number; bufferSize?: number }): RawSocket;
}

/** IPPROTO_RAW (raw(7)): the socket receives nothing, and what is sent has its own IP header. */
const IPPROTO_RAW = 255;
/** Of socket(7). */
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
/** Bytes of the longest IP packet. */
const LONGEST = 0xffff;
/** Packets that may wait for the host; when more wait, further ones are dropped. */
const PENDING = 256;

/**
 * Opens a raw socket for an IP protocol number. Throws a DeviceError: no privilege, no package, in
 * a worker thread.
 */
export function openRaw(family: 4 | 6, protocol: number): RawSocket {
  const name = `raw socket (IPv${family}, protocol ${protocol})`;
  if (!isMainThread) throw new DeviceError(name, 'cannot be used in a worker thread', 'open it in the main thread');
  const raw = rawPackage(name);
  const addressFamily = family === 4 ? raw.AddressFamily.IPv4 : raw.AddressFamily.IPv6;
  try {
    return raw.createSocket({ protocol, addressFamily, bufferSize: LONGEST });
  } catch (error) {
    throw new DeviceError(name, (error as Error).message.split('\n')[0]!, 'run as root or with CAP_NET_RAW');
  }
}

/**
 * Packets of so many bytes wait until the event loop reads them, with what the kernel counts for
 * each; without CAP_NET_ADMIN fewer (net.core.rmem_max).
 */
export function setRawQueue(socket: RawSocket, bytes: number): void {
  try {
    socket.setOption(SOL_SOCKET, SO_RCVBUFFORCE, bytes);
  } catch {
    socket.setOption(SOL_SOCKET, SO_RCVBUF, bytes);
  }
}

function rawPackage(name: string): RawPackage {
  try {
    return createRequire(import.meta.url)('raw-socket') as RawPackage;
  } catch (error) {
    throw new DeviceError(name, `the raw-socket package does not load (${(error as Error).message.split('\n')[0]})`);
  }
}

export interface RawStats {
  sent: number;
  /** Packets that the host did not take: no route, too long, too many at once. */
  dropped: number;
}

/**
 * Sends packets that the director originates (ICMP errors, IPIP to a realserver behind a router)
 * where no device of the director leads. The host's routes and neighbours decide the path.
 */
export class RawSender {
  readonly stats: RawStats = { sent: 0, dropped: 0 };
  private readonly sockets = new Map<4 | 6, RawSocket>();
  private pending = 0;

  /** Throws a DeviceError: no privilege, or in a worker thread. */
  constructor() {
    this.socket(4);
  }

  /**
   * Sends an IPv4 or IPv6 packet, which begins with its IP header. The packet is copied. The host
   * fills in the header checksum of IPv4. A packet that cannot be sent is counted as dropped.
   */
  send(packet: Uint8Array): void {
    const family = packet.length >= 20 && packet[0]! >> 4 === 6 ? 6 : 4;
    if (packet.length < (family === 4 ? 20 : 40) || this.pending >= PENDING) {
      this.stats.dropped++;
      return;
    }
    const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
    const to = family === 4 ? format4(view.getUint32(16)) : format6(words6(view, 24));
    this.pending++;
    this.socket(family).send(Buffer.from(packet), 0, packet.length, to, (error) => {
      this.pending--;
      if (error) this.stats.dropped++;
      else this.stats.sent++;
    });
  }

  /** The IPv6 socket is opened when it is first needed, as a host may be without IPv6. */
  private socket(family: 4 | 6): RawSocket {
    const there = this.sockets.get(family);
    if (there) return there;
    const made = openRaw(family, IPPROTO_RAW);
    this.sockets.set(family, made);
    made.on('error', () => {
      this.stats.dropped++;
      this.sockets.delete(family); // raw-socket closes it after an error
    });
    return made;
  }

  close(): void {
    for (const socket of this.sockets.values()) socket.close();
    this.sockets.clear();
  }
}
