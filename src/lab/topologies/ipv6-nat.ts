/** LVS-NAT over IPv6: as nat, with neighbour discovery instead of ARP. */
import { client, director, onRip, realserver } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=2001:db8:1::1
                       |________|
                           |
            eth0  VIP=2001:db8:1::100 (2001:db8:1::fe)
                       __________
                      |          |   [VIP]:80 -> [RIP]:8080
                      | director |   [VIP]:7  -> [RIP]:7007
                      |__________|
            eth1  DIP=2001:db8:2::fe   default gateway of the realservers
                           |
          -----------------------------------
          |                |                |
  2001:db8:2::11          ::12             ::13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |
    |_______|        |_______|        |_______|
`;

const VIP = '2001:db8:1::100';
const rs = [1, 2, 3].map((n) => realserver(n, [['back', `2001:db8:2::1${n}/64`]], '2001:db8:2::fe'));

export const ipv6Nat: Topology = {
  name: 'ipv6-nat',
  summary: 'LVS-NAT over IPv6, ports remapped',
  level: 'easy',
  teaches: 'NAT over IPv6',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '2001:db8:1::1/64']),
    director([
      ['front', '2001:db8:1::fe/64'],
      ['back', '2001:db8:2::fe/64'],
    ]),
    ...rs,
  ],
  ...onRip(VIP, rs, '-m', { http: 8080, echo: 7007 }),
};
