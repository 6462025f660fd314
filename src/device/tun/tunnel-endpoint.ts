/** TunnelEndpoint: the realserver's end of LVS-Tun, in user space. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { HEADER, TYPE_IPV4, TYPE_IPV6 } from '../../wire/ethernet.js';
import * as ipv4 from '../../wire/ipv4.js';
import { Batch } from '../batch.js';
import type { Device } from '../device.js';
import { DeviceError } from '../error.js';
import { completeIfPartial } from '../partial-checksum.js';
import { openRaw, setRawQueue } from '../raw.js';
import type { Umem } from '../umem.js';
import { innerPacket, type TunnelType } from './inner-packet.js';

export interface TunnelStats {
  packets: number;
  bytes: number;
  /** Tunnel packets without an IP packet inside. */
  malformed: number;
  /** Packets longer than a frame of the Umem, or refused by the injector. */
  dropped: number;
}

/** Which tunnels, and the UDP port of GUE. */
export interface TunnelOptions {
  readonly types: readonly TunnelType[];
  readonly guePort: number;
}

const GRE = 47;
/**
 * Bytes of packets that wait while the event loop does something else: by default 200 small ones
 * would, which come in 20 ms.
 */
const QUEUE = 8 << 20;
/** The default of `ulvsadm --tun-port` in examples, as of ip-fou(8). */
export const GUE_PORT = 6080;
const IPIP_ONLY: TunnelOptions = { types: ['ipip'], guePort: GUE_PORT };

/**
 * Decapsulates tunnel packets over IPv4 on a realserver whose kernel has no ipip, ip_gre or fou
 * module, as tunl0 does. A socket for each type receives them, and a TUN device or a veth pair
 * (veth-injector.ts) injects the inner packets into the same kernel.
 *
 *     director ─ IPIP DIP→RIP ─> eth0 ─> raw socket, protocol 4 ─ decapsulate ─> injector ─ CIP→VIP ─> the server
 *                GRE                     raw socket, protocol 47
 *                GUE                     UDP socket
 *
 * The realserver has the VIP on lo or on the injector's interface, and rp_filter 0 or 2 there.
 * Works in the main thread only, in the network namespace of the realserver.
 */
export class TunnelEndpoint {
  readonly stats: TunnelStats = { packets: 0, bytes: 0, malformed: 0, dropped: 0 };
  /** Rejects with a DeviceError when the port of GUE cannot be used. */
  readonly bound: Promise<void> = Promise.resolve();
  private readonly sockets: { close(): void }[] = [];
  private readonly batch = new Batch(1);

  /**
   * Starts to decapsulate. `close` closes the injector, too. Throws a DeviceError: no privilege.
   */
  constructor(
    private readonly umem: Umem,
    private readonly injector: Pick<Device, 'tx' | 'close'>,
    { types, guePort }: TunnelOptions = IPIP_ONLY,
  ) {
    try {
      if (types.includes('ipip')) this.listenRaw('ipip', ipv4.IPIP);
      if (types.includes('gre')) this.listenRaw('gre', GRE);
      if (types.includes('gue')) this.bound = this.listenUdp(guePort);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  private listenRaw(type: TunnelType, protocol: number): void {
    const socket = openRaw(4, protocol);
    setRawQueue(socket, QUEUE);
    this.sockets.push(socket);
    socket.on('message', (packet) => this.arrived(type, packet.subarray((packet[0]! & 15) << 2)));
    socket.on('error', () => this.stats.dropped++);
  }

  private async listenUdp(port: number): Promise<void> {
    const socket = createSocket('udp4');
    this.sockets.push(socket);
    socket.on('message', (payload) => this.arrived('gue', payload)).bind(port);
    await once(socket, 'listening').catch((error: Error) => {
      throw new DeviceError(`UDP port ${port}`, error.message, 'name another one with --gue-port');
    });
    socket.on('error', () => this.stats.dropped++);
  }

  /** Handles one tunnel packet, which is valid during the call only. */
  private arrived(type: TunnelType, packet: Uint8Array): void {
    const inner = innerPacket(type, packet);
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
    this.umem.view.setUint16(offset + 12, inner[0]! >> 4 === 6 ? TYPE_IPV6 : TYPE_IPV4);
    // A sender on the director's machine leaves it to who sends the packet; the tunnel hides it.
    completeIfPartial(this.umem.view, offset, inner.length + HEADER);
    this.batch.push(offset, inner.length + HEADER);
    if (this.injector.tx(this.batch) === 0) this.stats.dropped++;
    else {
      this.stats.packets++;
      this.stats.bytes += inner.length;
    }
  }

  close(): void {
    for (const socket of this.sockets.splice(0)) socket.close();
    this.injector.close();
  }
}
