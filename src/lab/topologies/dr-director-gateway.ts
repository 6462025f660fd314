/**
 * LVS-DR with the director as the realservers' router (HOWTO 7.5.1). The director accepts the VIP
 * without having it, so a packet from the VIP is no martian to its kernel and is forwarded like any
 * other.
 */
import { client, director, FORWARDING, onVip, threeRealservers, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1, default via 10.0.0.254
                       |________|
                           |
                CIP->VIP | |  ^ VIP->CIP
                         v |  |
            eth0 10.0.0.254       accepts VIP=10.0.0.100,
                       __________    no interface has it
                      |          |
                      | director |  ip_forward=1
                      |__________|
            eth1  DIP=192.168.1.254
                           |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |   VIP on lo
    |_______|        |_______|        |_______|   default via DIP
`;

const VIP = '10.0.0.100';
const rs = threeRealservers('back', '192.168.1.254', withVip(VIP));

export const drDirectorGateway: Topology = {
  name: 'dr-director-gateway',
  summary: "LVS-DR, the director is the realservers' router: VIP-less, so that their replies are no martians (7.5.1)",
  level: 'hard',
  teaches: 'source martians, and a director without the VIP',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    director(
      [
        ['front', '10.0.0.254/24'],
        ['back', '192.168.1.254/24'],
      ],
      undefined,
      { sysctls: FORWARDING },
    ),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  repliesPass: true,
  watches: [
    { name: 'replies pass the director', host: 'director', dev: 'eth1', filter: `src host ${VIP}`, expect: 'some' },
  ],
};
