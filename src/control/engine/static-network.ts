/**
 * A static network: the devices, routes and neighbours of director.yaml as links, routing tables
 * and permanent neighbours, as `ip addr`, `ip route` and `ip neigh` would make them.
 */
import type { Director, Marker } from '../../dataplane/director.js';
import { Link } from '../../dataplane/table/link.js';
import { Marks } from '../../dataplane/table/marks.js';
import { type Route, type RouteData, type Rule, wordsOf } from '../../dataplane/table/route-data.js';
import type { SnatRule } from '../../dataplane/table/snat-rules.js';
import type { MarkRule } from '../../service/mark.js';
import { addressFamily, isIPv6, parseMac } from '../../wire/address.js';
import type { Config, DeviceConfig, PolicyConfig, RouteConfig, SnatConfig } from '../config/config.js';
import type { Settings } from '../config/director-config.js';
import { formatIp, formatPrefix, networkOf, parsePrefix } from '../text/prefix.js';
import type { DeviceSetup } from './messages.js';
import { serviceOptions } from './service-options.js';

const LOCAL_TABLE = 255;
const MAIN_TABLE = 254;

/** Adds a link for each device, in order. */
export function addLinks(d: Director, devices: readonly Omit<DeviceSetup, 'kind' | 'promiscuous' | 'gso'>[]): void {
  for (const { name, mac, mtu, shared, resolves, exclusive } of devices)
    d.links.push(new Link(d.links.length, name, parseMac(mac)!, mtu, shared, resolves, exclusive));
  setAddresses(
    d,
    devices.map(({ addresses }) => addresses),
  );
}

/** Replaces the addresses of each link, given with prefix lengths. */
export function setAddresses(d: Director, addresses: readonly (readonly string[])[]): void {
  for (const link of d.links) {
    link.addresses.length = 0;
    for (const text of addresses[link.index] ?? []) link.addresses.push(addressOf(text));
  }
  d.reindexOwn();
}

function addressOf(text: string) {
  const { ip, length } = parsePrefix(text)!;
  return { family: ip.family, words: wordsOf(formatIp(ip))!, prefix: length };
}

/** Applies the settings that may change while the director runs. */
export function settings(
  d: Director,
  { sysctl, marks, accept, timeouts, helpers, snat, serviceOptions: options }: Settings,
): void {
  d.sysctl = { ...sysctl };
  d.connections.states.secureTcp = sysctl.secure_tcp >= 2;
  d.connections.states.timeouts.set(timeouts.tcp, timeouts.tcpfin, timeouts.udp);
  d.setHelperPorts(helpers.ftp);
  d.marks = marksOf(d, marks);
  d.acceptArp = accept.arp;
  d.acceptIcmp = accept.icmp;
  for (const link of d.links) link.forwardsShared = accept.forwardShared.includes(link.name);
  d.forwardsShared = accept.forwardShared.length > 0;
  d.setRanges(
    [...accept.ranges, ...accept.sources],
    snat.map(({ to }) => to),
  );
  d.snatRules.rules = snat.map((rule) => snatRule(d, rule));
  d.sourcePool.sources = Int32Array.from(accept.sources, (text) => wordsOf(text)![3]!);
  d.sourcePool.toa = accept.toa;
  serviceOptions(d, options);
}

function snatRule(d: Director, { from, to, dev }: SnatConfig): SnatRule {
  const { ip, length } = parsePrefix(from)!;
  const device = dev === undefined ? -1 : d.links.findIndex(({ name }) => name === dev);
  return { family: ip.family, words: wordsOf(formatIp(ip))!, length, to: wordsOf(to)!, device };
}

function marksOf(d: Director, rules: readonly MarkRule[]): Marker | undefined {
  if (rules.length === 0) return undefined;
  return new Marks(
    rules,
    d.links.map(({ name }) => name),
  );
}

/** Adds the permanent neighbours of the configuration. */
export function addNeighbours(d: Director, config: Config): void {
  for (const { ip, dev, mac } of config.neighbours) {
    const device = config.devices.findIndex(({ name }) => name === dev);
    const [a0, a1, a2, a3] = wordsOf(ip)!;
    const id = d.neighbours.idOf(device, addressFamily(ip), a0!, a1!, a2!, a3!);
    const [hi, lo] = parseMac(mac)!;
    d.neighbours.resolve(d.neighbours.all[id]!, hi, lo, d.now, true);
  }
}

/**
 * Routing tables and policy rules: networks and addresses of the devices, and the keys `routes` and
 * `policy`.
 */
export function staticRoutes(config: Config): RouteData {
  const tables = new Map<number, Route[]>([
    [LOCAL_TABLE, config.devices.flatMap(localRoutes)],
    [MAIN_TABLE, config.devices.flatMap(connectedRoutes)],
  ]);
  for (const route of config.routes ?? []) {
    const table = tables.get(route.table) ?? [];
    tables.set(route.table, [...table, routeOf(config, route)]);
  }
  return {
    tables: [...tables].map(([id, routes]) => ({ id, routes })),
    rules: [4, 6].flatMap((family) => rulesFor(family as 4 | 6, config)),
  };
}

function localRoutes({ addresses }: DeviceConfig, device: number): Route[] {
  return addresses.map((text) => {
    const { ip } = parsePrefix(text)!;
    return { family: ip.family, to: formatIp(ip), device, type: 'local', metric: 0 };
  });
}

function connectedRoutes({ addresses, mtu }: DeviceConfig, device: number): Route[] {
  return addresses.map((text) => {
    const prefix = parsePrefix(text)!;
    const to = formatPrefix({ ip: networkOf(prefix), length: prefix.length });
    return { family: prefix.ip.family, to, device, src: formatIp(prefix.ip), mtu, type: 'unicast', metric: 0 };
  });
}

function routeOf(config: Config, { to, via, dev, src, mtu }: RouteConfig): Route {
  const device = config.devices.findIndex(({ name }) => name === dev);
  const family = addressFamily(to);
  return {
    family,
    to,
    device,
    type: 'unicast',
    metric: 0,
    ...(via === undefined ? {} : { via }),
    ...(src === undefined ? {} : { src }),
    mtu: mtu ?? config.devices[device]!.mtu,
  };
}

function rulesFor(family: 4 | 6, config: Config): Rule[] {
  const own = config.policy
    .filter((policy) => familyOfPolicy(policy, family))
    .map((policy) => ruleOf(config, policy, family));
  return [
    { family, priority: 0, table: LOCAL_TABLE },
    ...own,
    { family, priority: 32766, table: MAIN_TABLE },
    { family, priority: 32767, table: 253 },
  ];
}

/** The rule is for the family; one without addresses is for both. */
function familyOfPolicy({ from, to }: PolicyConfig, family: 4 | 6): boolean {
  const named = from ?? to;
  return named === undefined || isIPv6(named) === (family === 6);
}

function ruleOf(config: Config, { priority, table, from, to, iif, mark }: PolicyConfig, family: 4 | 6): Rule {
  return {
    family,
    priority,
    table,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(iif === undefined ? {} : { iif: config.devices.findIndex(({ name }) => name === iif) }),
    ...(mark === undefined ? {} : { mark: mark.value, mask: mark.mask }),
  };
}
