/**
 * LVS-DR with a NIC that only sends to the realservers (HOWTO 7.8): it is up and has a route, but
 * no address.
 */
import { client, director, onVip, realserver, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.2.254
                       |________|------------.
                           |                 |
        VIP=192.168.2.110 (eth0)             |
                       __________            |
                      |          |  DIP=192.168.2.1
                      | director |           |
                      |__________|           |
          eth1  no address                   |
                192.168.100.0/24 dev eth1    |
                           |                 |
          --------------------------         |
          |                |       |         |
    RIP=192.168.100.11    .12     .13  eth0  |
     _______          _______   _______      |
    |  rs1  |        |  rs2  | |  rs3  |     |
    |_______|        |_______| |_______|     |
          |                |       |   eth1  |
          ----------------------------- 192.168.2.11..13
             VIP on lo, does not arp
`;

const VIP = '192.168.2.110';
const rs = [1, 2, 3].map((n) =>
  realserver(
    n,
    [
      ['back', `192.168.100.1${n}/24`],
      ['front', `192.168.2.1${n}/24`],
    ],
    undefined,
    withVip(VIP),
  ),
);

export const drNoIpInterface: Topology = {
  name: 'dr-no-ip-interface',
  summary: "LVS-DR, the director's interface to the realservers has a route and no address (7.8)",
  level: 'medium',
  teaches: 'an interface with a route and no address',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '192.168.2.254/24']),
    director(
      [
        ['front', '192.168.2.1/24'],
        ['back', ''],
      ],
      undefined,
      {
        routes: [{ to: '192.168.100.0/24', dev: 'eth1' }],
      },
    ),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
};
