import { interfaceHardware } from '../../sys/interface.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import { deviceError } from '../error.js';
import { ethernetIndex } from '../ethernet-index.js';
import { TxSocket } from '../packet/tx-socket.js';
import type { Umem } from '../umem.js';

/**
 * Into the kernel's own stack without a TUN device: what is written to one end of a veth pair comes in by the other, where
 * the stack takes it for what a wire brought.
 *
 *     packets ─ tx ─► `outside` ═ veth ═ `inside` ─► the stack
 *
 * Needs no /dev/net/tun, so an ordinary user's namespace has it, too. A packet may be as long as the pair's MTU.
 */
export class VethInlet implements Pick<Device, 'tx' | 'close'> {
  readonly stats: DeviceStats = newDeviceStats();
  private readonly socket: TxSocket;
  private readonly to: Uint8Array;

  /** Both ends are there and up. Throws a DeviceError: they are not, or no privilege. */
  constructor(
    private readonly umem: Umem,
    inside: string,
    outside: string,
  ) {
    const ifindex = ethernetIndex(outside);
    ethernetIndex(inside);
    this.to = interfaceHardware(inside).mac;
    try {
      this.socket = new TxSocket(umem, this.stats, ifindex);
    } catch (error) {
      throw deviceError(outside, error);
    }
  }

  /** Frames whose Ethernet addresses are still to be written. */
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
    this.socket.close();
  }
}
