/**
 * Transparent proxy by Horms' method of Linux 2.4 (HOWTO 26.5): the realserver has no VIP. REDIRECT
 * rewrites the destination to its own address, so the daemon listens on the RIP; replies get the
 * VIP back.
 */
import { endpoint } from '../../service/config.js';
import { acceptedAt } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { behindRouter, drawingBehindRouter, onRip, ripsOf, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = drawingBehindRouter(
  'CIP->VIP  ==  REDIRECT  ==>  CIP->RIP',
  '  VIP=192.168.1.110  httpd on the RIP; no VIP, no ARP problem',
);

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
const rs = threeRealservers('lan', '192.168.1.254', { nft: redirect });

export const tpRealserver: Topology<Check> = {
  name: 'tp-realserver',
  summary: "Horms' method of Linux 2.4: realservers accept the VIP by REDIRECT, their daemons listen on the RIP (26.5)",
  level: 'medium',
  teaches: 'realservers without the VIP: REDIRECT to the RIP',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  ...onRip(VIP, rs, '-g'),
  checks: [
    acceptedAt(
      ripsOf(rs).map((rip) => endpoint(rip, 80)),
      'the daemon sees the RIP as destination',
    ),
  ],
  watches: [
    {
      name: 'no ARP reply for the VIP',
      host: 'rs1',
      dev: 'eth0',
      filter: `arp[6:2] == 2 and arp[14:4] == 0xc0a8016e and ether src 02:00:00:00:b1:00`,
      expect: 'none',
    },
  ],
};
