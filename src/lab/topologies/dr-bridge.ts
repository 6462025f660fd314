/**
 * LVS-DR with the director as a bridge between router and realservers (HOWTO 7.5.3). Replies cross
 * it at layer 2. The director's routing never sees them, so no reverse path check applies.
 */
import { client, onVip, router, threeRealservers, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____
                       | router |  192.168.1.254
                       |________|
                           |
                 CIP->VIP  |  ^ VIP->CIP
                           v  |
                      _____eth0______
                     |      br0      |  VIP=192.168.1.110
                     |   director    |  DIP=192.168.1.9, on br0
                     |_____eth1______|
                           |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |   VIP on lo
    |_______|        |_______|        |_______|   default via the router
`;

const VIP = '192.168.1.110';
const MAC = '02:00:00:00:0d:0b';
const rs = threeRealservers('inside', '192.168.1.254', withVip(VIP));

export const drBridge: Topology = {
  name: 'dr-bridge',
  summary: 'LVS-DR, the director is a bridge between router and realservers: replies cross it at layer 2 (7.5.3)',
  level: 'hard',
  teaches: 'replies that cross the director at layer 2',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(1, [
      ['front', '10.0.0.254/24'],
      ['outside', '192.168.1.254/24'],
    ]),
    {
      name: 'director',
      role: 'director',
      ports: [
        { dev: 'eth0', segment: 'outside', mac: '02:00:00:00:0d:00', address: '' },
        { dev: 'eth1', segment: 'inside', mac: '02:00:00:00:0d:01', address: '' },
      ],
      devices: [{ dev: 'br0', mac: MAC, address: '192.168.1.9/24' }],
      ip: [
        `link add br0 address ${MAC} type bridge mcast_snooping 0 stp_state 0 forward_delay 0`,
        'link set eth0 master br0',
        'link set eth1 master br0',
        'address add 192.168.1.9/24 dev br0',
        'link set br0 up',
        'route add default via 192.168.1.254 dev br0',
      ],
    },
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  hostStack: true,
  repliesPass: true,
  watches: [
    {
      name: 'replies cross the bridge',
      host: 'director',
      dev: 'eth0',
      filter: `src host ${VIP} and tcp`,
      expect: 'some',
    },
    {
      name: "replies keep the realserver's MAC",
      host: 'director',
      dev: 'eth0',
      filter: `src host ${VIP} and tcp and ether src ${MAC}`,
      expect: 'none',
    },
  ],
};
