/**
 * A static neighbour entry for the VIP (HOWTO 24.3): the router has the director's MAC by
 * configuration, and the director does not answer ARP for the VIP.
 */
import { client, director, onRip, router, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____    ip neigh add 10.1.0.100
                       | router |     lladdr 02:00:00:00:0d:00 (the director's)
                       |________|     dev eth1 nud permanent
                           |  10.1.0.254
                           |
            eth0  10.1.0.9        VIP=10.1.0.100, no interface has it,
                       __________    nobody answers ARP for it
                      |          |
                      | director |
                      |__________|
            eth1  DIP=192.168.1.254   default gateway of the realservers
                           |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |
    |_______|        |_______|        |_______|
`;

const VIP = '10.1.0.100';
const rs = threeRealservers('back', '192.168.1.254');
const box = director(
  [
    ['middle', '10.1.0.9/24'],
    ['back', '192.168.1.254/24'],
  ],
  '10.1.0.254',
);

export const macRouted: Topology = {
  name: 'mac-routed',
  summary: "The router has a static neighbour entry for the VIP, the director's MAC; no ARP for the VIP (24.3)",
  level: 'medium',
  teaches: 'a VIP without ARP: a static neighbour entry on the router',
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
        ip: [`neighbour add ${VIP} lladdr ${box.ports[0]!.mac} dev eth1 nud permanent`],
      },
    ),
    box,
    ...rs,
  ],
  ...onRip(VIP, rs),
  ranges: [VIP],
  arp: false,
  watches: [{ name: 'no ARP for the VIP', host: 'router', dev: 'eth1', filter: `arp host ${VIP}`, expect: 'none' }],
};
