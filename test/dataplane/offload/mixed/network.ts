/**
 * The network of the mixed load: services of every method and family that the program forwards for,
 * their clients behind a router, realservers with fixed and with resolved MAC addresses.
 *
 *     clients 11.0.0.0/8 ─┐ 10.0.0.1                    ┌─ 192.168.1.11, .12: permanent neighbours
 *     2001:db8:c::/64    ─┴────────── eth0 director eth1 ┼─ 192.168.1.21, .22: answer ARP
 *                                     MTU 1500   MTU 600 └─ 2001:db8:1::11
 */
import type { InProcessDirector, Outlet } from '../../../../src/control/inprocess.js';
import { directorFrom, links } from '../../fastpath/network.js';

/** A service, and how its flows look. */
export interface Service {
  readonly vip: string;
  readonly port: number;
  readonly isUdp: boolean;
  readonly family: 4 | 6;
  /** Replies come back through the director. */
  readonly replies: boolean;
  /** Options of the service, and those of each realserver. */
  readonly options: string;
  readonly server: string;
  readonly servers: readonly string[];
}

const SERVERS = ['192.168.1.11', '192.168.1.12', '192.168.1.21', '192.168.1.22'] as const;
const NEAR = SERVERS.slice(0, 2);

function nat(vip: string, port: number, isUdp: boolean, options: string, server = '-m'): Service {
  const servers = SERVERS.map((rip) => `${rip}:${isUdp ? 5300 : 8080}`);
  return { vip, port, isUdp, family: 4, replies: true, options, server, servers };
}

function oneWay(vip: string, isUdp: boolean, options: string, server: string): Service {
  return { vip, port: isUdp ? 53 : 80, isUdp, family: 4, replies: false, options, server, servers: NEAR };
}

function wide(vip: string, isUdp: boolean, server: string, to: string): Service {
  const replies = server === '-m';
  const servers = [`[${to}]:${replies ? 8080 : isUdp ? 53 : 80}`];
  return { vip, port: isUdp ? 53 : 80, isUdp, family: 6, replies, options: '-s rr', server, servers };
}

export const SERVICES: readonly Service[] = [
  nat('10.1.0.1', 80, false, '-s rr'),
  nat('10.1.0.2', 53, true, '-s wrr'),
  nat('10.1.0.3', 443, false, '-s wlc -p 30'),
  nat('10.1.0.4', 53, true, '-s lc -p 20'),
  nat('10.1.0.5', 80, false, '-s wlc', '-m -x 200 -y 100'),
  oneWay('10.1.0.11', false, '-s lc', '-g'),
  oneWay('10.1.0.12', true, '-s sh', '-g'),
  oneWay('10.1.0.13', false, '-s rr', '-i'),
  oneWay('10.1.0.14', false, '-s rr', '-i --tun-type gre'),
  oneWay('10.1.0.15', true, '-s rr', '-i --tun-type gue --tun-port 6080'),
  wide('2001:db8::a1', false, '-m', '2001:db8:1::11'),
  wide('2001:db8::a2', true, '-m', '2001:db8:1::11'),
  wide('2001:db8::a3', false, '-g', '2001:db8:1::11'),
  // Outer IPv6 needs an MTU of 1280 inside, so that its destination is behind eth0.
  wide('2001:db8::a4', true, '-i', '2001:db8::2'),
];

/** A service in ulvsadm's words. */
export function keyOf({ vip, port, isUdp, family }: Service): string {
  return `${isUdp ? '-u' : '-t'} ${family === 4 ? vip : `[${vip}]`}:${port}`;
}

/** The realserver `i` of a service, as it is added. */
export function serverOf(service: Service, i: number): string {
  return `${keyOf(service)} -r ${service.servers[i]!} ${service.server}`;
}

const RULES = SERVICES.flatMap((service) => [
  `-A ${keyOf(service)} ${service.options}`,
  ...service.servers.map((_, i) => `-a ${serverOf(service, i)}`),
]);

const config = (connections: number) => `
connections: { max: ${connections} }
timeouts: { tcp: 60, tcpfin: 8, udp: 20 }
${links()}
routes:
  - { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 }
  - { to: "2001:db8:c::/64", via: "2001:db8::1", dev: eth0 }
rules: |
${RULES.map((line) => `  ${line}`).join('\n')}
`;

/** `connections`: lines of its table. */
export function directorFor(connections: number, outlet: Outlet): Promise<InProcessDirector> {
  return directorFrom(config(connections), outlet);
}
