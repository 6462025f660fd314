/**
 * One mark for a group of addresses and ports (HOWTO 24.2): three VIPs with HTTP on 80 and 8443 are
 * one service. The packet's port is kept (port 0 in the rules).
 */
import { requestsTo } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, ripsOf, router, threeRealservers } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____
                       | router |  10.9.0.1, 10.9.7.7, 10.9.200.3
                       |________|       via 10.1.0.9
                           |
            eth0  10.1.0.9            no VIP on any interface
                       __________
                      |          |  3 VIPs tcp 80,8443  MARK 1
                      | director |  3 VIPs udp 7        MARK 2
                      |__________|
            eth1  DIP=192.168.1.254   default gateway of the realservers
                           |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |   :80 and :8443
    |_______|        |_______|        |_______|
`;

const VIPS = ['10.9.0.1', '10.9.7.7', '10.9.200.3'];
const rs = threeRealservers('back', '192.168.1.254');
const group = (mark: number) => [
  `-A -f ${mark} -s rr`,
  ...ripsOf(rs).map((rip) => `-a -f ${mark} -r ${rip}:0 -m -w 1`),
];

export const fwmarkMultiport: Topology<Check> = {
  name: 'fwmark-multiport',
  summary: 'VIP-less director: one mark for a group of VIPs and ports, one service for all of them (24.2)',
  level: 'medium',
  teaches: 'a group of VIPs and ports as one service',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['middle', '10.1.0.254/24'],
      ],
      {
        routes: VIPS.map((vip) => ({ to: vip, via: '10.1.0.9', dev: 'eth1' })),
      },
    ),
    director(
      [
        ['middle', '10.1.0.9/24'],
        ['back', '192.168.1.254/24'],
      ],
      '10.1.0.254',
    ),
    ...rs,
  ],
  vips: VIPS,
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7, alsoHttp: [8443] }),
  marks: VIPS.flatMap((vip) => [
    `-i eth0 -d ${vip} -p tcp -m multiport --dports 80,8443 -j MARK --set-mark 1`,
    `-i eth0 -d ${vip} -p udp --dport 7 -j MARK --set-mark 2`,
  ]),
  ranges: VIPS.map((vip) => `${vip}/32`),
  rules: [...group(1), ...group(2)],
  checks: [
    requestsTo(
      VIPS.map((address) => ({ address, port: 8443 })),
      'the second port is balanced too',
    ),
  ],
};
