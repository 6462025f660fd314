/**
 * Hosts, services and rules that most topologies share. A topology's own file has what is special
 * about it.
 */

import { endpoint } from '../service/config.js';
import { isIPv6 } from '../wire/address.js';
import { addressOf, type Host, type Port, type Route, type Topology } from './topology.js';

/** Sysctls by which a realserver does not answer or announce the VIP on its lo by ARP. */
export const QUIET_ARP = { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 };
/**
 * Sysctls by which a director sends no ICMP redirects. A realserver that learned a direct route to
 * the client would bypass the director.
 */
export const NO_REDIRECTS = {
  'net.ipv4.conf.all.send_redirects': 0,
  'net.ipv4.conf.default.send_redirects': 0,
};
export const FORWARDING = { 'net.ipv4.ip_forward': 1 };
/**
 * No reverse path filter, for a host that receives packets from a source to which another device
 * leads.
 */
export const LOOSE = { 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0 };
export const FORWARDING6 = { 'net.ipv6.conf.all.forwarding': 1 };

/** A port of a host: its segment, its address in CIDR form ('' for none), and further addresses. */
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

/** The client, with one port. */
export function client(where: Where, gateway?: string, more: Partial<Host> = {}): Host {
  return { name: 'client', role: 'client', ports: ports('0c', [where]), routes: byGateway(gateway), ...more };
}

/** Router number `n` of the lab: `router`, then `router2`, `router3`. */
export function router(n: number, where: readonly Where[], more: Partial<Host> = {}): Host {
  const name = n === 1 ? 'router' : `router${n}`;
  return { name, role: 'router', ports: ports(`a${n}`, where), sysctls: { ...FORWARDING, ...FORWARDING6 }, ...more };
}

/** The director, with a port for each element of `where`. */
export function director(where: readonly Where[], gateway?: string, more: Partial<Host> = {}): Host {
  return { name: 'director', role: 'director', ports: ports('0d', where), routes: byGateway(gateway), ...more };
}

/** Realserver number `n`: `rs1`, `rs2` … */
export function realserver(n: number, where: readonly Where[], gateway?: string, more: Partial<Host> = {}): Host {
  return { name: `rs${n}`, role: 'realserver', ports: ports(`b${n}`, where), routes: byGateway(gateway), ...more };
}

/** Realservers rs1 to rs3 on a segment, at 192.168.1.11 to .13. */
export function threeRealservers(segment: string, gateway?: string, more: Partial<Host> = {}): Host[] {
  return [1, 2, 3].map((n) => realserver(n, [[segment, `192.168.1.1${n}/24`]], gateway, more));
}

/**
 * The client on 10.0.0.0/24, a router, and behind it the director and `rs` on 192.168.1.0/24. The
 * router is the default gateway of all. CIP .1, router .254 on both networks, DIP .9.
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

/**
 * The drawing of `behindRouter` with three realservers. `beside` is the text right of the
 * director's last line; `below` are further lines.
 */
export function drawingBehindRouter(beside: string, ...below: readonly string[]): string {
  return `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____
                       | router |  192.168.1.254
                       |________|
                           |
          -------------------------------------------
          |              |             |            |
     192.168.1.9    192.168.1.11      .12          .13
     __________       _______       _______      _______
    |          |     |  rs1  |     |  rs2  |    |  rs3  |
    | director |     |_______|     |_______|    |_______|
    |__________|     ${beside}
${below.map((line) => `${line}\n`).join('')}`;
}

/** What makes a host a realserver of LVS-DR: the VIP on lo, and no ARP about it. */
export function withVip(vip: string): Partial<Host> {
  return { sysctls: QUIET_ARP, vip: { dev: 'lo', address: `${vip}/${isIPv6(vip) ? 128 : 32}` } };
}

/** The RIPs: the addresses of the first ports. */
export function ripsOf(hosts: readonly Host[]): string[] {
  return hosts.map(addressOf);
}

/**
 * Rules for VIP:80 over TCP and VIP:7 over UDP, with rr and weight 1. `how` is -m, -g, -i or
 * --full-nat, and maybe further options. `ports` are those of the realservers.
 */
export function services(vip: string, rips: readonly string[], how: string, ports = { http: 80, echo: 7 }): string[] {
  const one = (kind: string, port: number, rport: number) => [
    `-A ${kind} ${endpoint(vip, port)} -s rr`,
    ...rips.map((rip) => `-a ${kind} ${endpoint(vip, port)} -r ${endpoint(rip, rport)} ${how} -w 1`),
  ];
  return [...one('-t', 80, ports.http), ...one('-u', 7, ports.echo)];
}

/**
 * The service part of an LVS-DR or LVS-Tun topology: `services` on realservers that listen on the
 * RIP and on the VIP.
 */
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

/**
 * As `onVip`, for realservers that listen on the RIP alone: LVS-NAT, full NAT, transparent proxy.
 */
export function onRip(
  vip: string,
  rs: readonly Host[],
  how = '-m',
  ports = { http: 80, echo: 7 },
): Pick<Topology, 'vips' | 'httpPort' | 'echoPort' | 'listeners' | 'rules'> {
  return {
    vips: [vip],
    httpPort: 80,
    echoPort: 7,
    listeners: (host) => ({ addresses: [addressOf(host)], ...ports }),
    rules: services(vip, ripsOf(rs), how, ports),
  };
}

/** Rules for mark 1 (TCP)
 and mark 2 (UDP), with rr and weight 1; the destination port is kept. */
export function markedServices(rips: readonly string[], how: string): string[] {
  return [1, 2].flatMap((mark) => [
    `-A -f ${mark} -s rr`,
    ...rips.map((rip) => `-a -f ${mark} -r ${rip}:0 ${how} -w 1`),
  ]);
}

/**
 * The service part of an LVS-DR topology by mark: a range that arrives on eth0. Clients use `vips`.
 */
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

/** Mark rules for a network on one device: mark 1 for HTTP, mark 2 for UDP echo. */
export function marksFor(network: string, dev: string): string[] {
  return [
    `-i ${dev} -d ${network} -p tcp --dport 80 -j MARK --set-mark 1`,
    `-i ${dev} -d ${network} -p udp --dport 7 -j MARK --set-mark 2`,
  ];
}
