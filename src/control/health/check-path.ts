/**
 * The path of health checks through the dataplane, for gatewaying and tunnel destinations
 * (dataplane/path/checked.ts): a route into the director's TUN, intercept rules for the answers,
 * and the ports that the workers share. It is set up when the first check needs it.
 *
 *     ip route 198.18.0.0/16 dev ulvsN      198.18.0.0 + slot stands for a destination
 */
import { spawnSync } from 'node:child_process';
import { CHECK_NET } from '../../dataplane/path/checked.js';
import { CheckPorts } from '../../dataplane/table/check-ports.js';
import { isFwmark } from '../../service/config.js';
import { format4, isIPv6 } from '../../wire/address.js';
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

export class CheckPath {
  private readonly memory = CheckPorts.memory();
  private protocols: readonly number[] = [];
  private routed: boolean | undefined;

  constructor(private readonly site: CheckSite) {}

  /**
   * The addresses for these checks. Where the path cannot be had, checks go to the real server's
   * own address, and a warning says so.
   */
  addresses(checks: readonly ChecksConfig[], services: readonly SlottedService[]): AddressFor {
    const some = services.some((service) => service.destinations.some((one) => this.isWanted(service, one)));
    if (!some || !this.route()) return (_, { config }) => config.address;
    this.use(protocolsOf(checks));
    return (service, one) => (this.isWanted(service, one) ? format4(CHECK_NET | one.slot) : one.config.address);
  }

  /** The VIP is an IPv4 address, and the destination another machine. */
  private isWanted({ config: { key } }: SlottedService, { config }: Destination): boolean {
    const { method, address } = config;
    if (method !== 'gatewaying' && method !== 'ipip') return false;
    return !isFwmark(key) && !isIPv6(key.address) && !isIPv6(address) && !this.site.has(address);
  }

  /** Adds the route, once. The kernel removes it with the TUN. */
  private route(): boolean {
    this.routed ??= this.addRoute();
    return this.routed;
  }

  private addRoute(): boolean {
    const { tun, warn } = this.site;
    const network = `${format4(CHECK_NET)}/16`;
    const words = ['route', 'add', network, 'dev', tun];
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

function protocolsOf(checks: readonly ChecksConfig[]): number[] {
  const all = checks.flatMap(({ run }) => run.flatMap(({ type }) => PROTOCOLS[type] ?? [TCP]));
  return [...new Set(all)].sort((a, b) => a - b);
}
