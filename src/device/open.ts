/**
 * Opens the device of an interface: a device of the wanted kind, or with `auto` of the first kind
 * of the table (kinds.ts) that works on the interface.
 */
import { CapDevice } from './cap.js';
import type { Device } from './device.js';
import { DeviceError } from './error.js';
import type { FlowMapFds } from './flow/layout.js';
import type { PinnedLink } from './flow/pins.js';
import { AUTO, type DeviceChoice, type DeviceKind, kindsWith } from './kinds.js';
import { PacketDevice } from './packet/packet.js';
import type { QueueShare } from './queue-share.js';
import { TapDevice } from './tun/tap.js';
import type { Umem } from './umem.js';
import { XdpDevice } from './xdp/device.js';
import type { InterceptMapFds } from './xdp/layout.js';

export interface Opened {
  readonly device: Device;
  readonly kind: DeviceKind;
  /** Log lines: one for each kind tried, in order, that says why it is or is not used. */
  readonly reasons: string[];
}

/** Options of all kinds; each kind reads its own. */
export interface OpenOptions {
  /** Bytes; MTU of an interface that the device creates. */
  mtu?: number;
  /** Receives frames for other Ethernet addresses, too. */
  promiscuous?: boolean;
  /** Forwards GSO packets in one piece, where the kind can. */
  gso?: boolean;
  /** Intercept maps of an exclusive kind; without them the device intercepts nothing. */
  maps?: InterceptMapFds | undefined;
  /** Slots of each ring of a kind that posts frames, a power of two. */
  entries?: number;
  /** Several workers read the interface: this worker's share. */
  share?: QueueShare | undefined;
  /** An open AF_XDP socket with the same Umem. */
  sharing?: number | undefined;
  /** Flow table by which the program of an exclusive kind forwards. */
  flows?: FlowMapFds | undefined;
  /** The program of a former process is attached by this link. */
  link?: PinnedLink | undefined;
}

type Open = (umem: Umem, name: string, options: OpenOptions) => Device;

const openers: Readonly<Record<DeviceKind, Open>> = {
  xdp: (umem, name, { promiscuous = false, maps, entries, share }) =>
    new XdpDevice(umem, name, {
      promiscuous,
      share,
      intercept: maps ?? 'nothing',
      ...(entries !== undefined && { entries }),
    }),
  packet: (umem, name, { promiscuous = false, share, gso = false }) =>
    new PacketDevice(umem, name, { promiscuous, share, gso }),
  tap: (umem, name, { mtu }) => new TapDevice(umem, name, mtu === undefined ? {} : { mtu }),
  cap: (umem, name) => new CapDevice(umem, name),
};

/**
 * Opens interface `name`. Throws a DeviceError; with `auto` the error says why each kind does not
 * work.
 */
export function openDevice(umem: Umem, name: string, choice: DeviceChoice = AUTO, options: OpenOptions = {}): Opened {
  if (choice !== AUTO) {
    const device = openers[choice](umem, name, options);
    return { device, kind: choice, reasons: [`${name}: using ${choice}${detail(device)}, as configured`] };
  }
  const reasons: string[] = [];
  for (const kind of kindsWith(({ auto }) => auto)) {
    try {
      const device = openers[kind](umem, name, options);
      return { device, kind, reasons: [...reasons, `${name}: using ${kind}${detail(device)}`] };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      reasons.push(`${name}: not ${kind}: ${reasonOf(error)}`);
    }
  }
  throw new DeviceError(name, `no kind of device works here (${reasons.map(withoutName(name)).join('; ')})`);
}

/**
 * Finds the kind that `auto` chooses on interface `name`: opens a device and closes it again.
 * Throws a DeviceError.
 */
export function probe(umem: Umem, name: string): Pick<Opened, 'kind' | 'reasons'> {
  const { device, kind, reasons } = openDevice(umem, name);
  device.close();
  return { kind, reasons };
}

function detail({ detail = '' }: Device): string {
  return detail === '' ? '' : ` (${detail})`;
}

function reasonOf(error: DeviceError): string {
  return error.remedy === '' ? error.problem : `${error.problem}; ${error.remedy}`;
}

function withoutName(name: string): (reason: string) => string {
  return (reason) => reason.slice(name.length + 2);
}
