/** IpipEndpoint: the realserver's end of LVS-Tun, in user space. */
import { HEADER, TYPE_IPV4 } from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import { Batch } from '../batch.js';
import type { Device } from '../device.js';
import { openRaw, type RawSocket } from '../raw.js';
import type { Umem } from '../umem.js';

export interface IpipStats {
  packets: number;
  bytes: number;
  /** Packets of protocol 4 that are not IPv4 in IPv4. */
  malformed: number;
  /** Packets longer than a frame of the Umem, or refused by the injector. */
  dropped: number;
}

/**
 * Decapsulates IPIP packets (RFC 2003) on a realserver whose kernel has no ipip module, as tunl0
 * does. A raw socket receives them, and a TUN device or a veth pair (veth-injector.ts) injects the
 * inner packets into the same kernel.
 *
 *     director ─ IPIP DIP→RIP ─> eth0 ─> raw socket, protocol 4 ─ decapsulate ─> injector ─ CIP→VIP ─> the server
 *
 * The realserver has the VIP on lo or on the injector's interface, and rp_filter 0 there and on
 * `all`. Works in the main thread only, in the network namespace of the realserver.
 */
export class IpipEndpoint {
  readonly stats: IpipStats = { packets: 0, bytes: 0, malformed: 0, dropped: 0 };
  private readonly socket: RawSocket;
  private readonly batch = new Batch(1);

  /**
   * Starts to decapsulate. `close` closes the injector, too. Throws a DeviceError: no privilege.
   */
  constructor(
    private readonly umem: Umem,
    private readonly injector: Pick<Device, 'tx' | 'close'>,
  ) {
    try {
      this.socket = openRaw(4, ipv4.IPIP);
    } catch (error) {
      injector.close();
      throw error;
    }
    this.socket.on('message', (packet) => this.arrived(packet));
    this.socket.on('error', () => this.stats.dropped++);
  }

  /**
   * Handles one packet, which begins with its outer IP header and is valid during the call only.
   */
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
    if (this.injector.tx(this.batch) === 0) this.stats.dropped++;
    else {
      this.stats.packets++;
      this.stats.bytes += inner.length;
    }
  }

  close(): void {
    this.socket.close();
    this.injector.close();
  }
}

/**
 * The inner packet, cut to its total length; undefined when the inner or the outer header is
 * malformed.
 */
function innerPacket(packet: Buffer): Buffer | undefined {
  if (packet.length < ipv4.HEADER) return undefined;
  const inner = packet.subarray((packet[0]! & 15) << 2);
  if (inner.length < ipv4.HEADER || inner[0]! >> 4 !== 4) return undefined;
  const total = inner.readUInt16BE(2);
  return total >= ipv4.HEADER && total <= inner.length ? inner.subarray(0, total) : undefined;
}
