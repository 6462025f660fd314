import { CapDevice } from './cap.js';
import type { Device, DeviceKind } from './device.js';
import { DeviceError } from './error.js';
import { PacketDevice } from './packet/packet.js';
import type { QueueShare } from './queue-share.js';
import { TapDevice } from './tun/tap.js';
import type { Umem } from './umem.js';
import { XdpDevice } from './xdp/device.js';
import type { InterceptMapFds } from './xdp/layout.js';

/** The kinds a config may name for a device that is to be opened. */
export const DEVICE_CHOICES = ['auto', 'xdp', 'packet', 'tap', 'cap'] as const;
export type DeviceChoice = (typeof DEVICE_CHOICES)[number];

export interface Opened {
  device: Device;
  /** Why it is this kind: one line for each kind tried, in order, to be printed. */
  reasons: string[];
}

export interface OpenOptions {
  /** Of the kernel's side of a TAP. */
  mtu?: number;
  /** Also take frames for other Ethernet addresses. */
  promiscuous?: boolean;
  /** What an xdp device takes from the host's stack; nothing unless it is said. */
  maps?: InterceptMapFds | undefined;
  /** Slots of an xdp device's rings. */
  entries?: number;
  /** xdp, packet: several workers have the interface. */
  team?: QueueShare | undefined;
}

type Open = (umem: Umem, name: string, options: OpenOptions) => Device;

const openers: Record<Exclude<DeviceChoice, 'auto'>, Open> = {
  xdp: (umem, name, { promiscuous = false, maps, entries, team }) =>
    new XdpDevice(umem, name, {
      promiscuous,
      team,
      takes: maps ?? 'nothing',
      ...(entries !== undefined && { entries }),
    }),
  packet: (umem, name, { promiscuous = false, team }) => new PacketDevice(umem, name, { promiscuous, team }),
  tap: (umem, name, { mtu }) => new TapDevice(umem, name, mtu === undefined ? {} : { mtu }),
  cap: (umem, name) => new CapDevice(umem, name),
};

/** What `auto` tries, the fastest first. */
const order = ['xdp', 'packet', 'cap'] as const;

/** Opens interface `name` as the kind asked for, or as the first that works. Throws a DeviceError. */
export function openDevice(umem: Umem, name: string, choice: DeviceChoice = 'auto', options: OpenOptions = {}): Opened {
  if (choice !== 'auto') {
    const device = openers[choice](umem, name, options);
    return { device, reasons: [`${name}: ${choice}, as configured${remark(device)}`] };
  }
  const reasons: string[] = [];
  for (const kind of order) {
    try {
      const device = openers[kind](umem, name, options);
      return { device, reasons: [...reasons, `${name}: ${kind} it is${remark(device)}`] };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      reasons.push(`${name}: not ${kind}: ${reasonOf(error)}`);
    }
  }
  throw new DeviceError(name, `no kind of device works here (${reasons.map(withoutName(name)).join('; ')})`);
}

/** Opens it for a moment only: what would `auto` settle for, and why? */
export function probe(umem: Umem, name: string): { kind: DeviceKind; reasons: string[] } {
  const { device, reasons } = openDevice(umem, name);
  device.close();
  return { kind: device.kind, reasons };
}

/** How well it does it. */
function remark(device: Device): string {
  if (!(device instanceof XdpDevice)) return '';
  const { mode, zeroCopy, reason } = device;
  return ` (${mode}, ${zeroCopy ? 'without a copy' : 'the driver copies'}${reason === '' ? '' : `; ${reason}`})`;
}

function reasonOf(error: DeviceError): string {
  return error.remedy === '' ? error.problem : `${error.problem}; ${error.remedy}`;
}

function withoutName(name: string): (reason: string) => string {
  return (reason) => reason.slice(name.length + 2);
}
