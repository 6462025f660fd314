import { HEADER, TYPE_IPV4 } from '../../wire/ethernet.js';
import { IPIP } from '../../wire/ipv4.js';
import { Batch } from '../batch.js';
import type { Device } from '../device.js';
import { openRaw, type RawSocket } from '../raw.js';
import type { Umem } from '../umem.js';

const IPV4_MIN = 20;

export interface IpipStats {
  packets: number;
  bytes: number;
  /** What came as protocol 4 and is no IPv4 packet inside an IPv4 packet. */
  malformed: number;
  /** Longer than the Umem's frames, or refused by the way into the stack. */
  dropped: number;
}

/**
 * The far end of LVS-Tun on a realserver whose kernel has no ipip module (RFC 2003): takes IPIP packets by a raw socket, and
 * hands what is inside to the same kernel through a TUN device or a veth pair (veth-inlet.ts), as tunl0 would.
 *
 *     director ─ IPIP DIP→RIP ─> eth0 ─> raw socket, protocol 4 ─ outer header off ─> inlet ─ CIP→VIP ─> the server
 *
 * Realserver set-up: the VIP on lo or the inlet, `rp_filter` 0 there and on `all`. Main thread only, in the realserver's namespace.
 */
export class IpipEndpoint {
  readonly stats: IpipStats = { packets: 0, bytes: 0, malformed: 0, dropped: 0 };
  private readonly socket: RawSocket;
  private readonly batch = new Batch(1);

  /** Starts, and closes the inlet in the end. Throws a DeviceError: no privilege. */
  constructor(
    private readonly umem: Umem,
    private readonly inlet: Pick<Device, 'tx' | 'close'>,
  ) {
    try {
      this.socket = openRaw(4, IPIP);
    } catch (error) {
      inlet.close();
      throw error;
    }
    this.socket.on('message', (packet) => this.arrived(packet));
    this.socket.on('error', () => this.stats.dropped++);
  }

  /** `packet` begins with the outer IP header and is only valid during the call. */
  private arrived(packet: Buffer): void {
    const inner = innerPacket(packet);
    if (inner === undefined) {
      this.stats.malformed++;
      return;
    }
    const offset = inner.length + HEADER <= this.umem.capacity ? this.umem.alloc() : -1;
    if (offset < 0) {
      this.stats.dropped++;
      return;
    }
    this.umem.u8.set(inner, offset + HEADER);
    this.umem.view.setUint16(offset + 12, TYPE_IPV4);
    this.batch.push(offset, inner.length + HEADER);
    if (this.inlet.tx(this.batch) === 0) this.stats.dropped++;
    else {
      this.stats.packets++;
      this.stats.bytes += inner.length;
    }
  }

  close(): void {
    this.socket.close();
    this.inlet.close();
  }
}

/** The packet inside, cut to its own total length; undefined when either header is broken. */
function innerPacket(packet: Buffer): Buffer | undefined {
  if (packet.length < IPV4_MIN) return undefined;
  const inner = packet.subarray((packet[0]! & 15) << 2);
  if (inner.length < IPV4_MIN || inner[0]! >> 4 !== 4) return undefined;
  const total = inner.readUInt16BE(2);
  return total >= IPV4_MIN && total <= inner.length ? inner.subarray(0, total) : undefined;
}
