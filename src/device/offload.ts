/**
 * Offloads of a network interface, read and switched by the ioctls of ethtool (linux/ethtool.h).
 */
import { ethtoolValue } from '../sys/interface.js';
import { deviceError } from './error.js';

interface Offload {
  /** Commands ETHTOOL_G… and ETHTOOL_S…. */
  get: number;
  set: number;
  /**
   * The bit of this offload, where the command has a word of flags; 0 where the whole value is on
   * or off.
   */
  flag: number;
}

const LRO_FLAG = 1 << 15;
const RX_VLAN_FLAG = 1 << 8;
const offloads = {
  /** Received packets are merged into GSO packets: gro by the kernel, lro by the hardware. */
  gro: { get: 0x2b, set: 0x2c, flag: 0 },
  lro: { get: 0x25, set: 0x26, flag: LRO_FLAG },
  /**
   * GSO packets are segmented when they are sent: tso by the hardware, gso by the kernel behind the
   * stack.
   */
  tso: { get: 0x1e, set: 0x1f, flag: 0 },
  gso: { get: 0x23, set: 0x24, flag: 0 },
  /** The hardware fills in the checksums of sent packets. */
  txChecksum: { get: 0x16, set: 0x17, flag: 0 },
  /** VLAN tags are taken out of received frames and kept beside them. */
  rxVlan: { get: 0x25, set: 0x26, flag: RX_VLAN_FLAG },
} as const satisfies Record<string, Offload>;

export type OffloadName = keyof typeof offloads;
export const OFFLOADS = Object.keys(offloads) as OffloadName[];

/** Which offloads are on. Throws a DeviceError, for example when there is no such interface. */
export function readOffloads(device: string): Record<OffloadName, boolean> {
  const result = {} as Record<OffloadName, boolean>;
  for (const name of OFFLOADS) result[name] = isOn(device, offloads[name]);
  return result;
}

/**
 * Turns offloads off. Returns those that were on and are off now, for `turnOn`. Throws a
 * DeviceError.
 */
export function turnOff(device: string, names: readonly OffloadName[]): OffloadName[] {
  const wereOn = names.filter((name) => isOn(device, offloads[name]));
  for (const name of wereOn) set(device, offloads[name], false);
  return wereOn.filter((name) => !isOn(device, offloads[name]));
}

/** Turns offloads on. Throws a DeviceError. */
export function turnOn(device: string, names: readonly OffloadName[]): void {
  for (const name of names) set(device, offloads[name], true);
}

function isOn(device: string, { get, flag }: Offload): boolean {
  const value = ask(device, get);
  return flag === 0 ? value !== 0 : (value & flag) !== 0;
}

function set(device: string, offload: Offload, on: boolean): void {
  const flags = offload.flag === 0 ? 0 : ask(device, offload.get) & ~offload.flag;
  ask(device, offload.set, offload.flag === 0 ? Number(on) : flags | (on ? offload.flag : 0));
}

function ask(device: string, command: number, value = 0): number {
  try {
    return ethtoolValue(device, command, value);
  } catch (error) {
    throw deviceError(device, error);
  }
}
