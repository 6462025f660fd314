/**
 * LVS-NAT in one network, "one arm" (HOWTO 5.12). A realserver with a route to its own network
 * would answer the client directly. So the director is its only route, and the director sends no
 * ICMP redirects.
 */
import { client, director, NO_REDIRECTS, onRip, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.1.254
                       |________|
                           |
             __________    |
            |          |   |   VIP=192.168.1.110
            | director |---|
            |__________|   |   DIP=192.168.1.9
                           |   send_redirects=0
          -----------------------------------
          |                |                |
   RIP=192.168.1.11    RIP=.12          RIP=.13       (all eth0)
    _____________     _____________    _____________
   |             |   |             |  |             |
   |     rs1     |   |     rs2     |  |     rs3     |
   |_____________|   |_____________|  |_____________|
         192.168.1.9 dev eth0; default via 192.168.1.9
         and no route to 192.168.1.0/24
`;

const VIP = '192.168.1.110';
const DIP = '192.168.1.9';
const onlyDirector = [
  'route del 192.168.1.0/24 dev eth0',
  `route add ${DIP} dev eth0`,
  `route add default via ${DIP} dev eth0`,
];
const rs = threeRealservers('lan', undefined, { ip: onlyDirector });

export const natOneNetwork: Topology = {
  name: 'nat-one-network',
  summary: 'LVS-NAT in one network: the director is the only route of the realservers, redirects off (5.12)',
  level: 'medium',
  teaches: 'NAT in one network, and why ICMP redirects break it',
  drawing,
  method: 'masq',
  hosts: [
    client(['lan', '192.168.1.254/24']),
    director([['lan', `${DIP}/24`]], undefined, { sysctls: NO_REDIRECTS }),
    ...rs,
  ],
  ...onRip(VIP, rs),
  watches: [
    { name: 'no ICMP redirect', host: 'rs1', dev: 'eth0', filter: 'icmp[icmptype] == icmp-redirect', expect: 'none' },
    {
      name: 'no reply from a RIP at the client',
      host: 'client',
      dev: 'eth0',
      filter: 'src host 192.168.1.11',
      expect: 'none',
    },
  ],
};
