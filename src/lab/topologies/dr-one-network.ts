/**
 * LVS-DR in one network, the client included (HOWTO 7.1). The director alone may answer ARP for the
 * VIP.
 */
import { client, director, onVip, threeRealservers, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.1.254
                       |________|
               CIP->VIP |  ^
                        v  |  VIP->CIP (from the realserver)
             __________    |
            |          |   |    VIP=192.168.1.110 (arps)
            | director |---|    DIP=192.168.1.9
            |__________|   |
                           |
        ------------------------------------
        |                  |               |
   RIP=192.168.1.11     RIP=.12         RIP=.13     (eth0)
   VIP on lo, does not arp, on each
    _____________     _____________   _____________
   |     rs1     |   |     rs2     | |     rs3     |
   |_____________|   |_____________| |_____________|
`;

const VIP = '192.168.1.110';
const rs = threeRealservers('lan', undefined, withVip(VIP));

export const drOneNetwork: Topology = {
  name: 'dr-one-network',
  summary: 'LVS-DR in one network, no router: only the director answers ARP for the VIP (7.1)',
  level: 'easy',
  teaches: 'ARP for the VIP with the client on the same wire',
  drawing,
  method: 'gatewaying',
  hosts: [client(['lan', '192.168.1.254/24']), director([['lan', '192.168.1.9/24']]), ...rs],
  ...onVip(VIP, rs, '-g'),
  watches: [
    {
      name: 'rs1 does not answer ARP for the VIP',
      host: 'rs1',
      dev: 'eth0',
      filter: `arp and arp[6:2] == 2 and ether src 02:00:00:00:b1:00 and arp[14:4] == 0xc0a8016e`,
      expect: 'none',
    },
  ],
};
