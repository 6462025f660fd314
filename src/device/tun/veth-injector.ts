/** VethInjector: packets into the kernel's stack without a TUN device. */
import { interfaceHardware } from '../../sys/interface.js';
import { close } from '../../sys/libc.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { deviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import { openTxSocket, TxSocket } from '../packet/tx-socket.js';
import type { Umem } from '../umem.js';

/**
 * Injects packets into the stack of the kernel by a veth pair. A frame that is sent by the end
 * `outside` comes in by the end `inside`.
 *
 *     packets ─ tx ─► `outside` ═ veth ═ `inside` ─► the stack
 *
 * It needs no /dev/net/tun, so it works in a user namespace. A packet may be as long as the MTU of
 * the pair.
 */
export class VethInjector implements Pick<Device, 'tx' | 'close'> {
  readonly stats: DeviceStats = newDeviceStats();
  private readonly socket: TxSocket;
  private readonly fd: number;
  private readonly to: Uint8Array;

  /**
   * Both ends must exist and be up. Throws a DeviceError when they do not, or without privilege.
   */
  constructor(
    private readonly umem: Umem,
    inside: string,
    outside: string,
  ) {
    const ifindex = ethernetIndex(outside);
    ethernetIndex(inside);
    this.to = interfaceHardware(inside).mac;
    try {
      this.fd = openTxSocket(ifindex);
      this.socket = new TxSocket(umem, this.stats, this.fd);
    } catch (error) {
      throw deviceError(outside, error);
    }
  }

  /**
   * Writes the Ethernet addresses of the frames and sends them. Returns how many the kernel took.
   */
  tx(batch: Batch): number {
    const { u8 } = this.umem;
    for (let i = 0; i < batch.n; i++) {
      const frame = batch.offsets[i]!;
      u8.set(this.to, frame);
      u8.fill(0, frame + 6, frame + 12);
    }
    return this.socket.send(batch);
  }

  close(): void {
    close(this.fd);
  }
}
