import { endpoint } from '../../service/config.js';
import { takenAt } from '../checks/direct.js';
import type { Check } from '../checks/run.js';
import { behindRouter, realserver, ripsOf, services } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

/**
 * HOWTO 26.5, Horms' method as of Linux 2.4: the realserver has no VIP. REDIRECT makes its own address the destination, so
 * the daemon must listen on the RIP; the reply gets the VIP back.
 */
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
          -------------------------------------------
          |              |             |            |
     192.168.1.9    192.168.1.11      .12          .13
     __________       _______       _______      _______
    |          |     |  rs1  |     |  rs2  |    |  rs3  |
    | director |     |_______|     |_______|    |_______|
    |__________|     CIP->VIP  ==  REDIRECT  ==>  CIP->RIP
  VIP=192.168.1.110  httpd on the RIP; no VIP, no ARP problem
`;

const VIP = '192.168.1.110';
const redirect = [
  'table ip horms {',
  '  chain prerouting {',
  '    type nat hook prerouting priority dstnat;',
  `    ip daddr ${VIP} tcp dport 80 redirect`,
  `    ip daddr ${VIP} udp dport 7 redirect`,
  '  }',
  '}',
];
const rs = [1, 2, 3].map((n) => realserver(n, [['lan', `192.168.1.1${n}/24`]], '192.168.1.254', { nft: redirect }));

export const tpRealserver: Topology<Check> = {
  name: 'tp-realserver',
  summary: "Horms' method of 2.4: realservers take the VIP by REDIRECT, their daemons listen on the RIP (26.5)",
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  rules: services(VIP, ripsOf(rs), '-g'),
  checks: [
    takenAt(
      ripsOf(rs).map((rip) => endpoint(rip, 80)),
      'the daemon sees the RIP as destination',
    ),
  ],
  watches: [
    {
      name: 'no ARP reply about the VIP',
      host: 'rs1',
      dev: 'eth0',
      filter: `arp[6:2] == 2 and arp[14:4] == 0xc0a8016e and ether src 02:00:00:00:b1:00`,
      expect: 'none',
    },
  ],
};
