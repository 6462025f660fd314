/** Offloads of a network interface, by ethtool's ioctls (linux/ethtool.h). */
import { ethtoolValue } from '../sys/interface.js';
import { deviceError } from './error.js';

interface Offload {
  get: number;
  set: number;
  /** Of a shared word of flags, the bit that is meant; 0: the whole value is on or off. */
  flag: number;
}

const LRO_FLAG = 1 << 15;
const RX_VLAN_FLAG = 1 << 8;
const offloads = {
  /** Merging of received packets into super-packets, in the kernel or the hardware. */
  gro: { get: 0x2b, set: 0x2c, flag: 0 },
  lro: { get: 0x25, set: 0x26, flag: LRO_FLAG },
  /** Cutting of super-packets that are sent, left to the hardware or put off to the last moment. */
  tso: { get: 0x1e, set: 0x1f, flag: 0 },
  gso: { get: 0x23, set: 0x24, flag: 0 },
  /** Checksums of sent packets left to the hardware. */
  txChecksum: { get: 0x16, set: 0x17, flag: 0 },
  /** VLAN tags taken out of received frames and kept beside them. */
  rxVlan: { get: 0x25, set: 0x26, flag: RX_VLAN_FLAG },
} as const satisfies Record<string, Offload>;

export type OffloadName = keyof typeof offloads;
export const OFFLOADS = Object.keys(offloads) as OffloadName[];

/** Which are on. Throws a DeviceError (no such interface …). */
export function readOffloads(device: string): Record<OffloadName, boolean> {
  const result = {} as Record<OffloadName, boolean>;
  for (const name of OFFLOADS) result[name] = isOn(device, offloads[name]);
  return result;
}

/** Turns these off; returns the ones that were on and are off now, so that they can be turned on again. */
export function turnOff(device: string, names: readonly OffloadName[]): OffloadName[] {
  const wereOn = names.filter((name) => isOn(device, offloads[name]));
  for (const name of wereOn) set(device, offloads[name], false);
  return wereOn.filter((name) => !isOn(device, offloads[name]));
}

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
