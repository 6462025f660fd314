/** Questions to a Site that several checks ask. */

import { endpoint, type FwmarkKey, isFwmark, UDP } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { isLinkLocal, width, within } from './address.js';
import type { AddressFact, DestinationFact, Finding, HostFacts, LinkFact, ServiceFact, Site } from './facts.js';

/** Of methods that a realserver is reached by, ulvsadm's words. */
const METHOD_WORDS: Readonly<Record<string, string>> = { masq: '-m', gatewaying: '-g', ipip: '-i' };

/** A destination, its service, and the host that has its address. */
export interface Placed {
  readonly service: ServiceFact;
  readonly destination: DestinationFact;
  readonly host: HostFacts;
}

export function director(site: Site): HostFacts {
  return site.hosts.find(({ role }) => role === 'director')!;
}

export function hasAddress(host: HostFacts, address: string): boolean {
  return devOf(host, address) !== undefined;
}

export function ownerOf(site: Site, address: string): HostFacts | undefined {
  return site.hosts.find((host) => host.role !== 'switch' && hasAddress(host, address));
}

/** Only destinations on hosts that can be looked at; localnode is none of them. */
export function placed(site: Site, methods: readonly string[] = Object.keys(METHOD_WORDS)): Placed[] {
  return site.director.services.flatMap((service) =>
    service.destinations
      .filter(({ method }) => methods.includes(method))
      .flatMap((destination) => {
        const host = ownerOf(site, destination.address);
        return host && host.role !== 'director' && host.role !== 'backup' ? [{ service, destination, host }] : [];
      }),
  );
}

/** Placed ones, one a host. */
export function byHost(list: readonly Placed[]): Placed[] {
  return [...new Map(list.map((one) => [`${one.host.name} ${one.destination.address}`, one])).values()];
}

/** A fwmark service's are what a lab's clients connect to; without a lab nobody knows. Two stand for all. */
export function vipsOf(site: Site, { key }: ServiceFact): string[] {
  if (!isFwmark(key)) return [key.address];
  return (site.lab?.vips ?? []).filter((vip) => isIPv6(vip) === (key.family === 6)).slice(0, 2);
}

/** 0 for a fwmark service. */
export function portOf({ key }: ServiceFact): number {
  return isFwmark(key) ? 0 : key.port;
}

export function isMarked(service: ServiceFact): service is ServiceFact & { key: FwmarkKey } {
  return isFwmark(service.key);
}

export function protocolOf({ key }: ServiceFact): 'tcp' | 'udp' {
  return !isFwmark(key) && key.protocol === UDP ? 'udp' : 'tcp';
}

/** The words for ulvsadm that name it: `-t 10.0.0.100:80`, `-f 1`. */
export function serviceWords({ key }: ServiceFact): string {
  if (isFwmark(key)) return `-f ${key.fwmark}${key.family === 6 ? ' -6' : ''}`;
  return `${key.protocol === UDP ? '-u' : '-t'} ${endpoint(key.address, key.port)}`;
}

/** A command that changes a destination; `method` and `port` when they are to change. */
export function edit(
  site: Site,
  service: ServiceFact,
  { address, port, method, weight }: DestinationFact,
  verb: '-e' | '-a' | '-d' = '-e',
): string {
  const how = verb === '-d' ? '' : ` ${METHOD_WORDS[method] ?? '-m'} -w ${weight}`;
  return `ulvsadm ${verb} ${serviceWords(service)} -r ${endpoint(address, port)}${how} --socket ${site.socket}`;
}

/** Of the family that `like` is of, for others to speak to: not those of lo, not link-local ones. */
export function addressesLike({ addresses }: HostFacts, like: string): AddressFact[] {
  return addresses.filter(
    ({ dev, address }) => dev !== 'lo' && isIPv6(address) === isIPv6(like) && !isLinkLocal(address),
  );
}

/** By their addresses of the family that `like` is of. */
export function clients(site: Site, like: string): { host: HostFacts; address: string }[] {
  return site.hosts
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

/** The interface that has it, lo aside. */
export function devOf(host: HostFacts, address: string): string | undefined {
  return host.addresses.find((one) => one.address === address && one.dev !== 'lo')?.dev;
}

/** An address of `of` in the network of one of the host's own, of the family that `like` is of. */
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

/** As it is to be typed: in its namespace. */
export function on({ namespace }: HostFacts, words: string): string {
  return namespace ? `ip netns exec ${namespace} ${words}` : words;
}

export function effective({ sysctls }: HostFacts, dev: string, name: string): number {
  return Math.max(sysctls[`conf/all/${name}`] ?? 0, sysctls[`conf/${dev}/${name}`] ?? 0);
}

/** One of each: two services of a host find the same fault twice. */
export function unique(findings: readonly Finding[]): Finding[] {
  const seen = new Map<string, Finding>();
  for (const one of findings) {
    const key = `${one.id} ${one.host} ${one.mend.join(';')}`;
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}
