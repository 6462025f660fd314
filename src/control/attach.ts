/**
 * How the configured devices meet the machine: their kind, MAC, MTU and addresses, and whether routes are the kernel's. Where
 * routes are static, destinations that no frame could reach are found here.
 */
import { randomBytes } from 'node:crypto';
import { probe } from '../device/auto.js';
import { DeviceError } from '../device/error.js';
import { Umem } from '../device/umem.js';
import type { ServiceEntry } from './admin.js';
import type { Config, DeviceConfig, RuleLine } from './config.js';
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
    checkDestinations(config, services);
    return { devices: config.devices.map(own), live: undefined, reasons: [] };
  }
  const live = new LiveNetwork();
  const reasons: string[] = [];
  try {
    return { devices: config.devices.map((device) => shared(device, live, reasons)), live, reasons };
  } catch (error) {
    void live.close();
    throw error;
  }
}

/** Where routes are static: destinations that no frame could reach. Throws a ConfigError that names their rules' lines. */
export function checkDestinations(config: Config, services: readonly ServiceEntry[]): void {
  const destinations = services.flatMap((service) => service.destinations);
  checkRoutes(
    config,
    destinations.map((destination) => ({ line: lineOf(config, destination.address), destination })),
  );
}

/** The rule line that names the address as a real server. */
function lineOf({ ruleLines, file }: Config, address: string): RuleLine {
  const words = [address, `[${address}]`];
  const names = ({ text }: RuleLine) =>
    text.split(/\s+/).some((word) => words.some((one) => word === one || word.startsWith(`${one}:`)));
  return (
    ruleLines.find((line) => /\s(-r|--real-server)\s/.test(line.text) && names(line)) ?? { file, line: 0, text: '' }
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
