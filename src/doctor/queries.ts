/** Questions about the facts that several checks ask. */

import { endpoint, type FwmarkKey, isFwmark, UDP } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { isLinkLocal, width, within } from './address.js';
import type { AddressFact, DestinationFact, Facts, Finding, HostFacts, LinkFact, ServiceFact } from './facts.js';

/** ulvsadm's option for each forwarding method that reaches a realserver on another host. */
const METHOD_WORDS: Readonly<Record<string, string>> = { masq: '-m', gatewaying: '-g', ipip: '-i' };

/** A destination with its service and the host that has its address. */
export interface RealServer {
  readonly service: ServiceFact;
  readonly destination: DestinationFact;
  readonly host: HostFacts;
}

export function director(facts: Facts): HostFacts {
  return facts.hosts.find(({ role }) => role === 'director')!;
}

export function hasAddress(host: HostFacts, address: string): boolean {
  return devOf(host, address) !== undefined;
}

export function ownerOf(facts: Facts, address: string): HostFacts | undefined {
  return facts.hosts.find((host) => host.role !== 'switch' && hasAddress(host, address));
}

/** The destinations on hosts that can be inspected. Destinations on a director are left out. */
export function realServers(facts: Facts, methods: readonly string[] = Object.keys(METHOD_WORDS)): RealServer[] {
  return facts.director.services.flatMap((service) =>
    service.destinations
      .filter(({ method }) => methods.includes(method))
      .flatMap((destination) => {
        const host = ownerOf(facts, destination.address);
        return host && host.role !== 'director' && host.role !== 'backup' ? [{ service, destination, host }] : [];
      }),
  );
}

/** Removes all but one destination of each host and address. */
export function onePerHost(list: readonly RealServer[]): RealServer[] {
  return [...new Map(list.map((one) => [`${one.host.name} ${one.destination.address}`, one])).values()];
}

/**
 * The VIPs of a service. For a fwmark service these are the addresses that a lab's clients connect
 * to (at most two of them), and none outside a lab.
 */
export function vipsOf(facts: Facts, { key }: ServiceFact): string[] {
  if (!isFwmark(key)) return [key.address];
  return (facts.lab?.vips ?? []).filter((vip) => isIPv6(vip) === (key.family === 6)).slice(0, 2);
}

/** The port of the service; 0 for a fwmark service. */
export function portOf({ key }: ServiceFact): number {
  return isFwmark(key) ? 0 : key.port;
}

export function isMarked(service: ServiceFact): service is ServiceFact & { key: FwmarkKey } {
  return isFwmark(service.key);
}

export function protocolOf({ key }: ServiceFact): 'tcp' | 'udp' {
  return !isFwmark(key) && key.protocol === UDP ? 'udp' : 'tcp';
}

/** The service as ulvsadm names it: `-t 10.0.0.100:80`, `-f 1`. */
export function serviceWords({ key }: ServiceFact): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  return `${key.protocol === UDP ? '-u' : '-t'} ${endpoint(key.address, key.port)}`;
}

/**
 * The ulvsadm command that adds, edits or deletes a destination, with the method and weight given.
 */
export function editCommand(
  facts: Facts,
  service: ServiceFact,
  { address, port, method, weight }: DestinationFact,
  verb: '-e' | '-a' | '-d' = '-e',
): string {
  const how = verb === '-d' ? '' : ` ${METHOD_WORDS[method] ?? '-m'} -w ${weight}`;
  return `ulvsadm ${verb} ${serviceWords(service)} -r ${endpoint(address, port)}${how} --socket ${facts.socket}`;
}

/**
 * The addresses of a host that are of the same family as `like`, without those on lo and link-local
 * ones.
 */
export function addressesLike({ addresses }: HostFacts, like: string): AddressFact[] {
  return addresses.filter(
    ({ dev, address }) => dev !== 'lo' && isIPv6(address) === isIPv6(like) && !isLinkLocal(address),
  );
}

/** The lab's clients, each with its first address of the same family as `like`. */
export function clients(facts: Facts, like: string): { host: HostFacts; address: string }[] {
  return facts.hosts
    .filter(({ role }) => role === 'client')
    .flatMap((host) =>
      addressesLike(host, like)
        .slice(0, 1)
        .map(({ address }) => ({ host, address })),
    );
}

export function linkOf(host: HostFacts, dev: string | undefined): LinkFact | undefined {
  return host.links.find((link) => link.dev === dev);
}

/** The device that has the address; lo does not count. */
export function devOf(host: HostFacts, address: string): string | undefined {
  return host.addresses.find((one) => one.address === address && one.dev !== 'lo')?.dev;
}

/**
 * An address of the host `of` that is on-link for `host`, and the device of `host` that leads
 * there. Of the same family as `like`.
 */
export function neighbourAddress(
  of: HostFacts,
  host: HostFacts,
  like: string,
): { address: string; dev: string } | undefined {
  const mine = addressesLike(host, like).filter(({ address, length }) => length < width(address));
  for (const own of mine) {
    const theirs = of.addresses.find(({ address, dev }) => dev !== 'lo' && within(address, own.address, own.length));
    if (theirs) return { address: theirs.address, dev: own.dev };
  }
  return undefined;
}

/** The command as one types it: with `ip netns exec` if the host has its own namespace. */
export function commandOn({ namespace }: HostFacts, words: string): string {
  return namespace ? `ip netns exec ${namespace} ${words}` : words;
}

/** The effective value of a per-device sysctl: the larger of `all` and the device's own. */
export function effectiveSysctl({ sysctls }: HostFacts, dev: string, name: string): number {
  return Math.max(sysctls[`conf/all/${name}`] ?? 0, sysctls[`conf/${dev}/${name}`] ?? 0);
}

/**
 * Keeps one of several findings with the same id, host and fix: two services of a host find the
 * same fault twice.
 */
export function uniqueFindings(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const one of findings) {
    const key = `${one.id} ${one.host} ${one.fix.join(';')}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}
