import { client, director, realserver, ripsOf, router, services } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

/** HOWTO 24.3: the router is told by hand which MAC the VIP has; the director answers no ARP for it. */
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
const rs = [1, 2, 3].map((n) => realserver(n, [['back', `192.168.1.1${n}/24`]], '192.168.1.254'));
const box = director(
  [
    ['middle', '10.1.0.9/24'],
    ['back', '192.168.1.254/24'],
  ],
  '10.1.0.254',
);

export const macRouted: Topology = {
  name: 'mac-routed',
  summary: "The router sends the VIP to the director's MAC by a static neighbour; no ARP for it (24.3)",
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
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  rules: services(VIP, ripsOf(rs), '-m'),
  ranges: [VIP],
  arp: false,
  watches: [{ name: 'no ARP about the VIP', host: 'router', dev: 'eth1', filter: `arp host ${VIP}`, expect: 'none' }],
};
