/**
 * Full NAT (requested in HOWTO 5.19): both addresses are rewritten, so a realserver needs no route
 * via the director and may be in any network. Its default gateway is the router. The client's
 * address is sent as a TCP option.
 */
import { behindRouter, drawingBehindRouter, onRip, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = drawingBehindRouter(
  ' default via the router',
  '  VIP=192.168.1.110',
  '  sources: 192.168.1.240    CIP->VIP  ==>  192.168.1.240->RIP',
);

const VIP = '192.168.1.110';
const rs = threeRealservers('lan', '192.168.1.254');

export const fullNat: Topology = {
  name: 'full-nat',
  summary: 'Full NAT: realservers see an address of the director, need no route via it, and keep their gateway (5.19)',
  level: 'medium',
  teaches: "full NAT: replies need no route, the source is the director's",
  drawing,
  method: 'fullnat',
  hosts: behindRouter(rs),
  ...onRip(VIP, rs, '--full-nat'),
  sources: ['192.168.1.240'],
  watches: [
    {
      name: 'no realserver sends to the client directly',
      host: 'router',
      dev: 'eth1',
      filter: 'ip src host 192.168.1.11',
      expect: 'none',
    },
  ],
};
