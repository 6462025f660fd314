/**
 * Attachment of the configured devices: their kind, MAC, MTU and addresses on this machine, and
 * whether routes are the kernel's. Where routes are static, destinations that no frame could reach
 * are found here.
 */
import { randomBytes } from 'node:crypto';
import { DeviceError } from '../../device/error.js';
import { AUTO, type DeviceKind, forWorkers, isShared, kindOf, mayHaveWorkers } from '../../device/kinds.js';
import { probe } from '../../device/open.js';
import { frameSizeFor, mappedUmem } from '../../device/umem-memory.js';
import { InterceptMaps } from '../../device/xdp/intercept-maps.js';
import { ifNameToIndex } from '../../sys/libc.js';
import type { ServiceEntry } from '../api/api.js';
import { type Config, ConfigError, type DeviceConfig, type RuleLine } from '../config/config.js';
import { checkRoutes } from '../config/route-check.js';
import type { DeviceSetup } from '../engine/messages.js';
import { LiveNetwork } from './live-network.js';

/** Frames of the memory with which `auto` tries a device. */
const PROBE_FRAMES = 64;

/** The devices, ready to be opened. */
export interface Attachment {
  readonly devices: DeviceSetup[];
  /** undefined: the network is only that of the configuration. */
  readonly live: LiveNetwork | undefined;
  /** Lines about the choice of devices, for the log. */
  readonly reasons: readonly string[];
  /** The intercept maps of the exclusive devices; the caller closes them. */
  readonly maps: InterceptMaps | undefined;
}

/**
 * Looks up the devices; opens no device but those that `auto` tries. `ports`: port tables that
 * another process gives. Throws a DeviceError or ConfigError.
 */
export function attach(config: Config, services: readonly ServiceEntry[], ports: readonly number[] = []): Attachment {
  const alone = config.devices.flatMap((one) =>
    one.kind === AUTO || kindOf(one.kind).shared ? [] : [own(one, one.kind)],
  );
  if (alone.length === config.devices.length) {
    checkDestinations(config, services);
    return { devices: alone, live: undefined, reasons: [], maps: undefined };
  }
  const live = new LiveNetwork();
  let maps: InterceptMaps | undefined;
  const reasons: string[] = [];
  try {
    const frameSize = frameSizeFor(config.devices.map(({ name, mtu }) => linkOf(live, name)?.mtu ?? mtu));
    refuseMissing(config, live);
    const settled = config.devices.map((device) => setupOf(device, live, frameSize, reasons));
    for (const { name, kind } of settled) refuseSingle(name, kind, config.workers);
    const exclusive = settled.filter((device) => device.exclusive);
    if (exclusive.length > 0) maps = new InterceptMaps(exclusive, ports);
    const devices = settled.map((device) => ({
      ...device,
      ...(device.exclusive && { maps: maps?.fdsOf(device.name) }),
    }));
    return { devices, live, reasons, maps };
  } catch (error) {
    maps?.close();
    void live.close();
    throw error;
  }
}

/** Throws a ConfigError with a line for each interface that the host does not have. */
export function refuseMissing({ file, devices, deviceLines }: Config, live?: LiveNetwork): void {
  const isThere = live === undefined ? isInterface : (name: string) => linkOf(live, name) !== undefined;
  const problems = devices.flatMap(({ name, kind }, i) => {
    if (!isShared(kind) || isThere(name)) return [];
    const place = `${file}:${deviceLines[i]}: devices[${i}].name`;
    return [`${place}: ${name}: no such network interface; 'ip link' lists the interfaces`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

function isInterface(name: string): boolean {
  return ifNameToIndex(name) !== 0;
}

/** Throws a DeviceError when the kind that `auto` has chosen cannot serve several workers. */
function refuseSingle(name: string, kind: DeviceKind, workers: number): void {
  if (workers > 1 && !mayHaveWorkers(kind))
    throw new DeviceError(
      name,
      `${workers} workers need a device of kind ${forWorkers().join(' or ')}, this one is ${kind}`,
      "set 'workers: 1'",
    );
}

/**
 * Checks that static routes reach the destinations. Throws a ConfigError with the lines of the
 * rules of those that they do not reach.
 */
export function checkDestinations(config: Config, services: readonly ServiceEntry[]): void {
  const destinations = services.flatMap((service) => service.destinations);
  checkRoutes(
    config,
    destinations.map((destination) => ({ line: lineOf(config, destination.address), destination })),
  );
}

/** The rule line with the address as real server; line 0: none. */
function lineOf({ ruleLines, file }: Config, address: string): RuleLine {
  const words = [address, `[${address}]`];
  const names = ({ text }: RuleLine) =>
    text.split(/\s+/).some((word) => words.some((one) => word === one || word.startsWith(`${one}:`)));
  return (
    ruleLines.find((line) => /\s(-r|--real-server)\s/.test(line.text) && names(line)) ?? { file, line: 0, text: '' }
  );
}

/** A device without the host, with the configured MAC or a random local one. */
function own(device: DeviceConfig, kind: DeviceKind): DeviceSetup {
  return { ...device, kind, mac: device.mac ?? randomMac(), shared: false, exclusive: false, resolves: true };
}

function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = (bytes[0]! & 0xfc) | 2;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function linkOf(live: LiveNetwork, name: string) {
  return live.links.find((link) => link.name === name);
}

/**
 * An interface of the host: MAC, MTU and addresses are the kernel's, its stack sees the frames too.
 */
function setupOf(device: DeviceConfig, live: LiveNetwork, frameSize: number, reasons: string[]): DeviceSetup {
  const kind = device.kind === AUTO ? settle(device.name, frameSize, reasons) : device.kind;
  const link = linkOf(live, device.name);
  const { shared, exclusive } = kindOf(kind);
  if (!shared || link === undefined) return own(device, kind);
  return {
    ...device,
    kind,
    mac: link.mac,
    mtu: link.mtu,
    addresses: live.addressesOf(device.name),
    shared,
    exclusive,
    resolves: false,
  };
}

/** What `auto` is here; the device is opened for a moment, with frames as they will be. */
function settle(name: string, frameSize: number, reasons: string[]): DeviceKind {
  const { umem, unmap } = mappedUmem(PROBE_FRAMES, frameSize);
  try {
    const found = probe(umem, name);
    // The last one names the kind; the log has it when the device is opened.
    reasons.push(...found.reasons.slice(0, -1));
    return found.kind;
  } finally {
    unmap();
  }
}
