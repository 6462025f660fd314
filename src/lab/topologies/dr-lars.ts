/**
 * LVS-DR by Lars' method (HOWTO 7.3.2): no host that sends ARP requests for the VIP is on the
 * realservers' wire, so the realservers may answer ARP.
 */
import { client, director, onVip, realserver, router } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.2.254
                       |________|--------------------------.
                           |                               |
          VIP=192.168.2.110 (eth0, arps)                   |
                       __________                          |
                      |          |  192.168.2.1            |
                      | director |                         |
                      |__________|                         |
           DIP=192.168.1.1 (eth1, arps)                    |
                           |                               |
          -----------------------------------              |
          |                |                |              |
    RIP=192.168.1.2  RIP=192.168.1.3  RIP=192.168.1.4      |
    VIP on lo, and it may arp, on each                     |
     _____________    _____________    _____________       |
    |     rs1     |  |     rs2     |  |     rs3     |      |
    |_____________|  |_____________|  |_____________|      |
          | eth1           |                |              |
          ----------------------------------- 10.1.1.0/24  |
                           | 10.1.1.254                    |
                        ___|____                           |
                       | router |--------------------------'
                       |________| 192.168.2.253
`;

const VIP = '192.168.2.110';
const rs = [1, 2, 3].map((n) =>
  realserver(
    n,
    [
      ['back', `192.168.1.${n + 1}/24`],
      ['out', `10.1.1.${n + 1}/24`],
    ],
    undefined,
    {
      routes: [{ to: 'default', via: '10.1.1.254', dev: 'eth1' }],
      vip: { dev: 'lo', address: `${VIP}/32` },
    },
  ),
);

export const drLars: Topology = {
  name: 'dr-lars',
  summary:
    "LVS-DR, Lars' method: realservers on a separate wire may answer ARP for the VIP; replies use another router (7.3.2)",
  level: 'hard',
  teaches: 'the ARP problem, solved by a wire of its own',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '192.168.2.254/24']),
    router(1, [
      ['out', '10.1.1.254/24'],
      ['front', '192.168.2.253/24'],
    ]),
    director([
      ['front', '192.168.2.1/24'],
      ['back', '192.168.1.1/24'],
    ]),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  watches: [
    { name: 'replies go by the router', host: 'router', dev: 'eth0', filter: `src host ${VIP}`, expect: 'some' },
  ],
};
