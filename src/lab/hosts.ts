/** Hosts and rules as most topologies want them; what is special about one is in its own file. */

import { endpoint } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { addressOf, type Host, type Port, type Route, type Topology } from './topology.js';

/** Keeps a realserver quiet about the VIP on its lo, in all it says by ARP. */
export const QUIET_ARP = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 };
/** A realserver must not learn a shorter way to the client than by the director; nor must the director tell it. */
export const NO_REDIRECTS = {
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
};
export const FORWARDING = { 'net.ipv4.ip_forward': 1 };
export const FORWARDING6 = { 'net.ipv6.conf.all.forwarding': 1 };

type Where = readonly [segment: string, address: string, ...also: string[]];

function ports(kind: string, where: readonly Where[]): Port[] {
  return where.map(([segment, address, ...also], i) => ({
    dev: `eth${i}`,
    segment,
    mac: `02:00:00:00:${kind}:0${i}`,
    address,
    ...(also.length > 0 && { also }),
  }));
}

function byGateway(via: string | undefined): Route[] {
  return via === undefined ? [] : [{ to: 'default', via, dev: 'eth0' }];
}

export function client(where: Where, gateway?: string, more: Partial<Host> = {}): Host {
  return { name: 'client', role: 'client', ports: ports('0c', [where]), routes: byGateway(gateway), ...more };
}

/** `n` tells the routers of a lab apart; the first is called router. */
export function router(n: number, where: readonly Where[], more: Partial<Host> = {}): Host {
  const name = n === 1 ? 'router' : `router${n}`;
  return { name, role: 'router', ports: ports(`a${n}`, where), sysctls: { ...FORWARDING, ...FORWARDING6 }, ...more };
}

export function director(where: readonly Where[], gateway?: string, more: Partial<Host> = {}): Host {
  return { name: 'director', role: 'director', ports: ports('0d', where), routes: byGateway(gateway), ...more };
}

export function realserver(n: number, where: readonly Where[], gateway?: string, more: Partial<Host> = {}): Host {
  return { name: `rs${n}`, role: 'realserver', ports: ports(`b${n}`, where), routes: byGateway(gateway), ...more };
}

/**
 * The client on 10.0.0.0/24, and behind a router the director and `rs` in 192.168.1.0/24, whose default gateway it is for all:
 * CIP .1, router .254 and .254, DIP .9.
 */
export function behindRouter(rs: readonly Host[]): Host[] {
  return [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(1, [
      ['front', '10.0.0.254/24'],
      ['lan', '192.168.1.254/24'],
    ]),
    director([['lan', '192.168.1.9/24']], '192.168.1.254'),
    ...rs,
  ];
}

/** As a realserver of LVS-DR: the VIP on lo, and not a word about it. */
export function withVip(vip: string): Partial<Host> {
  return { sysctls: QUIET_ARP, extra: { dev: 'lo', address: `${vip}/${isIPv6(vip) ? 128 : 32}` } };
}

/** RIP of each: the address of the first port. */
export function ripsOf(hosts: readonly Host[]): string[] {
  return hosts.map(addressOf);
}

/** VIP:80 over TCP and VIP:7 over UDP, rr, weight 1. `how`: -m, -g or -i (and more options). `ports`: of the realservers. */
export function services(vip: string, rips: readonly string[], how: string, ports = { http: 80, echo: 7 }): string[] {
  const one = (kind: string, port: number, rport: number) => [
    `-A ${kind} ${endpoint(vip, port)} -s rr`,
    ...rips.map((rip) => `-a ${kind} ${endpoint(vip, port)} -r ${endpoint(rip, rport)} ${how} -w 1`),
  ];
  return [...one('-t', 80, ports.http), ...one('-u', 7, ports.echo)];
}

/** What LVS-DR and LVS-Tun serve: `services` of realservers that listen on the RIP, and on the VIP, which they have. */
export function onVip(
  vip: string,
  rs: readonly Host[],
  how: '-g' | '-i',
): Pick<Topology, 'vips' | 'httpPort' | 'echoPort' | 'listeners' | 'rules'> {
  return {
    vips: [vip],
    httpPort: 80,
    echoPort: 7,
    listeners: (host) => ({ addresses: [addressOf(host), vip], http: 80, echo: 7 }),
    rules: services(vip, ripsOf(rs), how),
  };
}

/** -f 1 over TCP and -f 2 over UDP, rr, weight 1, ports as they came. */
export function markedServices(rips: readonly string[], how: string): string[] {
  return [1, 2].flatMap((mark) => [
    `-A -f ${mark} -s rr`,
    ...rips.map((rip) => `-a -f ${mark} -r ${rip}:0 ${how} -w 1`),
  ]);
}

/** As onVip, for LVS-DR by mark: a range that comes in by eth0, of which clients ask for these VIPs. */
export function onRange(
  range: string,
  vips: readonly string[],
  rs: readonly Host[],
): Pick<Topology, 'vips' | 'httpPort' | 'echoPort' | 'listeners' | 'marks' | 'ranges' | 'rules'> {
  return {
    vips,
    httpPort: 80,
    echoPort: 7,
    listeners: (host) => ({ addresses: [addressOf(host), ...vips], http: 80, echo: 7 }),
    marks: marksFor(range, 'eth0'),
    ranges: [range],
    rules: markedServices(ripsOf(rs), '-g'),
  };
}

/** Mark 1 on HTTP and mark 2 on echo to a network, from one device. */
export function marksFor(network: string, dev: string): string[] {
  return [
    `-i ${dev} -d ${network} -p tcp --dport 80 -j MARK --set-mark 1`,
    `-i ${dev} -d ${network} -p udp --dport 7 -j MARK --set-mark 2`,
  ];
}
