/**
 * The two ways from the director into its own machine.
 *
 *     TUN ulvsN       into the host's stack, as if the packet had come by that interface: what was stolen and turned out
 *                     not to be ours, and destinations that are the director itself
 *     HostRouting     out by the host's own routes (a raw socket in the control thread): where no device of ours leads
 */
import { writeFileSync } from 'node:fs';
import { setInterfaceAddress } from '../../sys/interface.js';
import type { Batch } from '../batch.js';
import { type Device, type DeviceStats, newDeviceStats } from '../device.js';
import type { Umem } from '../umem.js';
import { TunDevice } from './tap.js';

const ETHERNET = 14;

export interface HostTun {
  tun: TunDevice;
  /** What could not be set, one line each. */
  warnings: string[];
}

/** The dummy address of RFC 7600. Without any address on the interface, even a loose rp_filter drops everything. */
const DUMMY = 0xc0000008;

/** Packets come in by another interface than their sources are routed to: only a loose rp_filter lets them pass. */
export function openHostTun(umem: Umem): HostTun {
  const tun = new TunDevice(umem, 'ulvs%d');
  setInterfaceAddress(tun.name, DUMMY);
  const wanted = { rp_filter: '2', accept_local: '1' };
  const warnings = Object.entries(wanted).flatMap(([key, value]) => set(`net/ipv4/conf/${tun.name}/${key}`, value));
  return { tun, warnings };
}

/** In a container /proc/sys may be read-only. */
function set(sysctl: string, value: string): string[] {
  try {
    writeFileSync(`/proc/sys/${sysctl}`, value);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return [
      `${sysctl.replaceAll('/', '.')} cannot be set to ${value} (${code}): the host may not take back some packets`,
    ];
  }
}

/** Hands IP packets on, a copy each: few packets go this way. */
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
      this.sink(this.umem.u8.slice(at + ETHERNET, at + len));
      this.stats.txBytes += len;
      this.umem.free(at);
    }
    this.stats.txPackets += n;
    batch.n = 0;
    return n;
  }

  close(): void {}
}
