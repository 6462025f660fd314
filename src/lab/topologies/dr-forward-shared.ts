/**
 * LVS-DR with forward_shared (HOWTO 7.5.2, by Julian Anastasov): the director has the VIP and is
 * the realservers' router. Its kernel would drop their replies as martians, so the director
 * forwards them itself. From outside they remain martians.
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
            eth0 10.0.0.254, VIP=10.0.0.100 on it
                       __________
                      |          |  accept: { forwardShared: [eth1] }
                      | director |
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

export const drForwardShared: Topology = {
  name: 'dr-forward-shared',
  summary:
    "LVS-DR, the director has the VIP and is the realservers' router: forward_shared for its inner device (7.5.2)",
  level: 'hard',
  teaches: 'source martians, and forward_shared',
  drawing,
  vipOnHost: true,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    director(
      [
        ['front', '10.0.0.254/24', `${VIP}/32`],
        ['back', '192.168.1.254/24'],
      ],
      undefined,
      {
        sysctls: FORWARDING,
      },
    ),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  forwardShared: ['eth1'],
  repliesPass: true,
  watches: [
    { name: 'replies pass the director', host: 'director', dev: 'eth1', filter: `src host ${VIP}`, expect: 'some' },
  ],
};
