/**
 * The path of health checks through the dataplane, for gatewaying and tunnel destinations
 * (dataplane/path/checked.ts): a route into the director's TUN, intercept rules for the answers,
 * and the ports that the workers share. It is set up when the first check needs it.
 *
 *     ip route add 198.18.0.0/16 dev ulvsN        198.18.0.0 + slot stands for a destination
 *     ip -6 addr add 2001:2::1/96 dev ulvsN       2001:2::1:0 + slot
 */
import { spawnSync } from 'node:child_process';
import { CHECK_HOST6, CHECK_NET, checkAddress6 } from '../../dataplane/path/checked.js';
import { CheckPorts } from '../../dataplane/table/check-ports.js';
import { isFwmark } from '../../service/config.js';
import { addressFamily, format4, format6 } from '../../wire/address.js';
import { ICMP, TCP, UDP } from '../../wire/ipv4.js';
import type { ChecksConfig } from '../config/director-config.js';
import type { Message } from '../engine/messages.js';
import type { Destination } from '../rules/entries.js';
import type { SlottedService } from '../rules/health-weight.js';
import type { AddressFor } from './plan.js';

/** What the path needs of the director. */
export interface CheckSite {
  /** Interface into the host's stack; '': none. */
  readonly tun: string;
  /** An interface of the host has the address. */
  has(address: string): boolean;
  /** Answers by these protocols are kept from the host's stack. */
  intercept(protocols: readonly number[]): void;
  send(message: Message): void;
  warn(message: string): void;
}

type CheckType = ChecksConfig['run'][number]['type'];

/** Protocols of types that do not use TCP alone. */
const PROTOCOLS: Partial<Record<CheckType, readonly number[]>> = {
  icmp: [ICMP],
  udp: [UDP],
  dns: [UDP, TCP],
  script: [TCP, UDP],
  sctp: [],
};

type Family = 4 | 6;

/** Words of ip(8) that lead the addresses into the TUN; the IPv6 ones bring the route with them. */
const LEADS: Readonly<Record<Family, readonly string[]>> = {
  4: ['route', 'add', `${format4(CHECK_NET)}/16`, 'dev'],
  6: ['-6', 'addr', 'add', `${format6(CHECK_HOST6)}/96`, 'nodad', 'dev'],
};
/** An address has room for this many slots. */
const SLOTS = 0x1_0000;

export class CheckPath {
  private readonly memory = CheckPorts.memory();
  private protocols: readonly number[] = [];
  private readonly routed = new Map<Family, boolean>();

  constructor(private readonly site: CheckSite) {}

  /**
   * The addresses for these checks. Where the path cannot be had, checks go to the real server's
   * own address, and a warning says so.
   */
  addresses(checks: readonly ChecksConfig[], services: readonly SlottedService[]): AddressFor {
    const wanted = services.flatMap((service) => service.destinations.map((one) => this.familyOf(service, one)));
    const families = ([4, 6] as const).filter((family) => wanted.includes(family) && this.route(family));
    if (families.length === 0) return (_, { config }) => config.address;
    this.use(protocolsOf(checks));
    return (service, one) => {
      const family = this.familyOf(service, one);
      return family !== undefined && families.includes(family) ? addressOf(family, one.slot) : one.config.address;
    };
  }

  /** The family of VIP and destination, on another machine; undefined: no path. */
  private familyOf({ config: { key } }: SlottedService, { config, slot }: Destination): Family | undefined {
    const { method, address } = config;
    if ((method !== 'gatewaying' && method !== 'ipip') || isFwmark(key) || slot >= SLOTS) return undefined;
    const family = addressFamily(address);
    return addressFamily(key.address) === family && !this.site.has(address) ? family : undefined;
  }

  /** Adds the route, once. The kernel removes it with the TUN. */
  private route(family: Family): boolean {
    const routed = this.routed.get(family) ?? this.addRoute(family);
    this.routed.set(family, routed);
    return routed;
  }

  private addRoute(family: Family): boolean {
    const { tun, warn } = this.site;
    const words = [...LEADS[family], tun];
    const { status, stderr } =
      tun === '' ? { status: 1, stderr: 'there is no TUN' } : spawnSync('ip', words, { encoding: 'utf8' });
    if (status === 0) return true;
    const why = (stderr ?? '').trim().split('\n')[0];
    warn(`health checks go to the real servers' own addresses, not to the VIP: ip ${words.join(' ')}: ${why}`);
    return false;
  }

  /** The host first, then the dataplane. */
  private use(protocols: readonly number[]): void {
    if (`${protocols}` === `${this.protocols}`) return;
    this.protocols = protocols;
    this.site.intercept(protocols);
    this.revive();
  }

  /** Tells the dataplane, again where a worker has started anew. */
  revive(): void {
    const { memory, protocols } = this;
    if (protocols.length > 0) this.site.send({ kind: 'checks', memory, protocols });
  }
}

function addressOf(family: Family, slot: number): string {
  return family === 4 ? format4(CHECK_NET | slot) : format6(checkAddress6(slot));
}

function protocolsOf(checks: readonly ChecksConfig[]): number[] {
  const all = checks.flatMap(({ run }) => run.flatMap(({ type }) => PROTOCOLS[type] ?? [TCP]));
  return [...new Set(all)].sort((a, b) => a - b);
}
