/**
 * The two outputs from the director into its own host.
 *
 *     TUN ulvsN       into the host's stack, as if the packet had come in by that interface:
 *                     intercepted packets that are not for the director, and packets to
 *                     destinations on the director itself
 *     HostRouting     out by the host's own routes (a raw socket in the control thread), where no
 *                     device leads
 */
import { setInetConf } from '../../sys/inet-conf.js';
import { setInterfaceAddress } from '../../sys/interface.js';
import { ifNameToIndex } from '../../sys/libc.js';
import { HEADER } from '../../wire/ethernet.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import type { Umem } from '../umem.js';
import { openTunnel, type TunHandle } from './tap.js';

export interface HostTun {
  tun: TunHandle;
  /** One line when its sysctls could not be set. */
  warnings: string[];
}

/**
 * 192.0.0.8, the IPv4 dummy address (RFC 7600, 4.8). An interface without an address drops
 * everything, even with a loose rp_filter.
 */
const DUMMY = 0xc0000008;

/**
 * Opens the TUN device ulvsN with rp_filter 2 (loose) and accept_local 1: its packets come in by
 * another interface than the route to their source leads to. Throws a DeviceError.
 */
export function openHostTun(name = 'ulvs%d'): HostTun {
  const tun = openTunnel(name);
  setInterfaceAddress(tun.name, DUMMY);
  return { tun, warnings: acceptAll(tun.name) };
}

/** Returns a warning when the settings cannot be made. */
function acceptAll(name: string): string[] {
  try {
    setInetConf(ifNameToIndex(name), { rp_filter: 2, accept_local: 1 });
    return [];
  } catch (error) {
    const why = (error as Error).message;
    return [
      `net.ipv4.conf.${name}: rp_filter 2 and accept_local 1 cannot be set (${why}): the host may drop packets that the director gives back`,
    ];
  }
}

/**
 * A device that sends only: gives a copy of each IP packet to `sink`. Few packets take this path.
 */
export class HostRouting implements Device {
  readonly name = 'host routing';
  readonly kind = 'memory';
  readonly fd = -1;
  readonly stats: DeviceStats = newDeviceStats();

  constructor(
    private readonly umem: Umem,
    private readonly sink: (packet: Uint8Array) => void,
  ) {}

  rx(): number {
    return 0;
  }

  tx(batch: Batch): number {
    const { n } = batch;
    for (let i = 0; i < n; i++) {
      const at = batch.offsets[i]!;
      const len = batch.lengths[i]!;
      this.sink(this.umem.u8.slice(at + HEADER, at + len));
      this.stats.txBytes += len;
      this.umem.free(at);
    }
    this.stats.txPackets += n;
    batch.n = 0;
    return n;
  }

  close(): void {}
}
