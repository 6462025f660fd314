/** LVS-NAT with one NIC and two networks on one wire (HOWTO 5.3). Only the director is in both. */
import { client, director, NO_REDIRECTS, onRip, realserver } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.2.254
                       |________|
                           |
             __________    |
            |          |   |   VIP=192.168.2.110
            | director |---|        192.168.2.1
            |__________|   |   DIP=10.1.1.1      (both eth0)
                           |
          -----------------------------------
          |                |                |
     RIP=10.1.1.2     RIP=10.1.1.3     RIP=10.1.1.4   (all eth0)
     _____________    _____________    _____________
    |             |  |             |  |             |
    |     rs1     |  |     rs2     |  |     rs3     |
    |_____________|  |_____________|  |_____________|
                default gateway: the DIP
`;

const VIP = '192.168.2.110';
const rs = [1, 2, 3].map((n) => realserver(n, [['wire', `10.1.1.${n + 1}/24`]], '10.1.1.1'));

export const natTwoNetworks: Topology = {
  name: 'nat-two-networks',
  summary: 'LVS-NAT with one NIC: VIP and RIPs in two networks on one wire (5.3)',
  level: 'easy',
  teaches: 'NAT with one NIC: two networks on one wire',
  drawing,
  method: 'masq',
  hosts: [
    client(['wire', '192.168.2.254/24']),
    director([['wire', '192.168.2.1/24', '10.1.1.1/24']], undefined, { sysctls: NO_REDIRECTS }),
    ...rs,
  ],
  ...onRip(VIP, rs),
  watches: [
    {
      name: 'no ICMP redirect',
      host: 'director',
      dev: 'eth0',
      filter: 'icmp[icmptype] == icmp-redirect',
      expect: 'none',
    },
  ],
};
