/**
 * LVS-NAT (HOWTO chapter 5): the director is between two networks, and is the default gateway of
 * the realservers.
 */
import { client, director, onRip, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                 CIP->VIP  |  ^ VIP->CIP
                           v  |
                           |
            eth0  VIP=10.0.0.100 (10.0.0.254)
                       __________
                      |          |   VIP:80 -> RIP:8080   tcp, rr
                      | director |   VIP:7  -> RIP:7007   udp, rr
                      |__________|
            eth1  DIP=192.168.1.254   default gateway of the realservers
                           |
                 CIP->RIP  |  ^ RIP->CIP
                           v  |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |       |        |       |        |       |
    |  rs1  |        |  rs2  |        |  rs3  |
    |_______|        |_______|        |_______|
`;

const rs = threeRealservers('back', '192.168.1.254');

export const nat: Topology = {
  name: 'nat',
  summary: 'LVS-NAT: two networks, replies return through the director, ports remapped',
  level: 'easy',
  teaches: 'NAT: replies must come back through the director',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24']),
    director([
      ['front', '10.0.0.254/24'],
      ['back', '192.168.1.254/24'],
    ]),
    ...rs,
  ],
  ...onRip('10.0.0.100', rs, '-m', { http: 8080, echo: 7007 }),
};
