/**
 * LVS-DR with VIP and RIPs in different networks (HOWTO 7.1, second example). The router has a port
 * to each.
 */
import { client, director, FORWARDING, LOOSE, onVip, realserver, router, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____
                       |        | R 192.168.1.254
                       | router |----------------.
                       |________|                |
            192.168.2.254  | D                   |
                           |                     |
       VIP=192.168.2.110 (eth0, arps)            |
                       __________                |
                      |          |               |
                      | director |               |
                      |__________|               |
            DIP=192.168.1.1 (eth1)               |
                           |                     |  ^
 MAC_DIP->MAC_RIP(CIP->VIP)|                     |  | VIP->CIP
                           v                     |
            -------------------------------------
            |              |               |
     RIP=192.168.1.2  RIP=192.168.1.3  RIP=192.168.1.4
     VIP on lo, does not arp, on each
      _____________   _____________   _____________
     |     rs1     | |     rs2     | |     rs3     |
     |_____________| |_____________| |_____________|
           192.168.2.1 is the director's own on eth0
`;

const VIP = '192.168.2.110';
const rs = [1, 2, 3].map((n) => realserver(n, [['back', `192.168.1.${n + 1}/24`]], '192.168.1.254', withVip(VIP)));

export const drTwoNetworks: Topology = {
  name: 'dr-two-networks',
  summary: 'LVS-DR with VIP and RIPs in different networks, a port of the router in each (7.1)',
  level: 'medium',
  teaches: 'VIP and RIPs in different networks',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['vips', '192.168.2.254/24'],
        ['back', '192.168.1.254/24'],
      ],
      {
        sysctls: { ...FORWARDING, ...LOOSE },
      },
    ),
    director(
      [
        ['vips', '192.168.2.1/24'],
        ['back', '192.168.1.1/24'],
      ],
      '192.168.2.254',
    ),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  watches: [
    { name: 'replies enter the router by R', host: 'router', dev: 'eth2', filter: `src host ${VIP}`, expect: 'some' },
    {
      name: 'requests leave it by D only',
      host: 'router',
      dev: 'eth2',
      filter: `dst host ${VIP} and not arp`,
      expect: 'none',
    },
  ],
};
