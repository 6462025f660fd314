import { addressOf, type Host, type Topology } from '../topology.js';

/**
 * LVS-DR (HOWTO chapter 7): director and realservers on one wire; every realserver has the VIP on lo and keeps quiet
 * about it in ARP, so the router's packets to the VIP go to the director only. Replies pass it by.
 */
const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                 CIP->VIP  |  ^
                           v  |  VIP->CIP
                        ________
                       |        |  eth0 10.0.0.254
                       | router |  eth1 192.168.1.254
                       |________|
                           |    <----------------------.
         .-----------------+-----------------.         | VIP->CIP
         |        |                 |        |         | (never by
         |        |                 |        |         |  the director)
     __________   |                 |        |
    |          |  192.168.1.11     .12      .13
    | director |  _______         _______   _______
    |__________| |lo:VIP |       |lo:VIP | |lo:VIP |   arp_ignore=1
         |       |  rs1  |       |  rs2  | |  rs3  |   arp_announce=2
         |       |_______|       |_______| |_______|
         |           ^               ^         ^
         '-----------'---------------'---------'
   VIP=192.168.1.110 (arps)     MAC_DIP->MAC_RIP (CIP->VIP)
   DIP=192.168.1.9
`;

const VIP = '192.168.1.110';

function realserver(n: number): Host {
  return {
    name: `rs${n}`,
    role: 'realserver',
    ports: [{ dev: 'eth0', segment: 'lan', mac: `02:00:00:00:0b:0${n}`, address: `192.168.1.1${n}/24` }],
    routes: [{ to: 'default', via: '192.168.1.254', dev: 'eth0' }],
    sysctls: { 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 },
    extra: { dev: 'lo', address: `${VIP}/32` },
  };
}

const rs = [1, 2, 3].map(realserver);

export const dr: Topology = {
  name: 'dr',
  summary: 'LVS-DR: one wire, the VIP on every lo, replies go by the router and miss the director',
  drawing,
  method: 'gatewaying',
  hosts: [
    {
      name: 'client',
      role: 'client',
      ports: [{ dev: 'eth0', segment: 'front', mac: '02:00:00:00:0c:01', address: '10.0.0.1/24' }],
      routes: [{ to: 'default', via: '10.0.0.254', dev: 'eth0' }],
    },
    {
      name: 'router',
      role: 'router',
      ports: [
        { dev: 'eth0', segment: 'front', mac: '02:00:00:00:0a:00', address: '10.0.0.254/24' },
        { dev: 'eth1', segment: 'lan', mac: '02:00:00:00:0a:01', address: '192.168.1.254/24' },
      ],
      sysctls: { 'net.ipv4.ip_forward': 1 },
    },
    {
      name: 'director',
      role: 'director',
      ports: [{ dev: 'eth0', segment: 'lan', mac: '02:00:00:00:0d:00', address: '192.168.1.9/24' }],
      routes: [{ to: 'default', via: '192.168.1.254', dev: 'eth0' }],
    },
    ...rs,
  ],
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host), VIP], http: 80, echo: 7 }),
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    ...rs.map((host) => `-a -t ${VIP}:80 -r ${addressOf(host)}:80 -g -w 1`),
    `-A -u ${VIP}:7 -s rr`,
    ...rs.map((host) => `-a -u ${VIP}:7 -r ${addressOf(host)}:7 -g -w 1`),
  ],
};
