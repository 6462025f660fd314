/**
 * How the configured devices meet the machine: their kind, MAC, MTU and addresses, and whether routes are the kernel's. Where
 * routes are static, destinations that no frame could reach are found here.
 */
import { randomBytes } from 'node:crypto';
import { probe } from '../device/auto.js';
import { DeviceError } from '../device/error.js';
import { Umem } from '../device/umem.js';
import type { ServiceEntry } from './admin.js';
import type { Config, DeviceConfig } from './config.js';
import { LiveNetwork } from './live.js';
import type { DeviceSetup } from './orders.js';
import { checkRoutes } from './routecheck.js';

export interface Attachment {
  readonly devices: DeviceSetup[];
  /** undefined: the network is the configuration's alone. */
  readonly live: LiveNetwork | undefined;
  readonly reasons: readonly string[];
}

/** Throws a DeviceError or ConfigError. */
export function attach(config: Config, services: readonly ServiceEntry[]): Attachment {
  if (config.devices.every(({ kind }) => kind === 'tap')) {
    checkStatic(config, services);
    return { devices: config.devices.map(own), live: undefined, reasons: [] };
  }
  const live = new LiveNetwork(config.devices.map(({ name }) => name));
  const reasons: string[] = [];
  try {
    return { devices: config.devices.map((device) => shared(device, live, reasons)), live, reasons };
  } catch (error) {
    void live.close();
    throw error;
  }
}

function checkStatic(config: Config, services: readonly ServiceEntry[]): void {
  const line = { file: config.file, line: 0, text: '' };
  const lines = new Map(config.ruleLines.map((one) => [one.text, one]));
  checkRoutes(
    config,
    services.flatMap(({ destinations }) =>
      destinations.map((destination) => ({
        line: [...lines.values()].find(({ text }) => text.includes(`-r ${destination.address}`)) ?? line,
        destination,
      })),
    ),
  );
}

/** A TAP: the director is alone behind it, with a MAC of its own (the configured one, else a random local one). */
function own(device: DeviceConfig): DeviceSetup {
  return { ...device, mac: device.mac ?? randomMac(), shared: false, resolves: true };
}

function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0]! & 0xfc) | 2;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** An interface of the host: MAC, MTU and addresses are the kernel's, its stack sees the frames too. */
function shared(device: DeviceConfig, live: LiveNetwork, reasons: string[]): DeviceSetup {
  const link = live.links.find(({ name }) => name === device.name);
  if (link === undefined && device.kind !== 'tap')
    throw new DeviceError(device.name, 'no such network interface', "'ip link' lists those there are");
  if (device.kind === 'tap' || link === undefined) return own(device);
  return {
    ...device,
    kind: device.kind === 'auto' ? settle(device.name, reasons) : device.kind,
    mac: link.mac,
    mtu: link.mtu,
    addresses: live.addressesOf(device.name),
    shared: true,
    resolves: false,
  };
}

function settle(name: string, reasons: string[]): DeviceSetup['kind'] {
  const found = probe(new Umem(64), name);
  reasons.push(...found.reasons);
  return found.kind === 'cap' ? 'cap' : 'packet';
}
