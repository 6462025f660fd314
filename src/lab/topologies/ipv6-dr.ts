/**
 * LVS-DR over IPv6. There is no ARP problem: neighbour discovery answers only for addresses of the
 * receiving interface, not for those of lo.
 */
import { client, director, onVip, realserver, router } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=2001:db8:1::1
                       |________|
                           |
                        ___|____
                       | router |  2001:db8:1::fe, 2001:db8:2::fe
                       |________|
                           |
          -------------------------------------------
          |              |             |            |
   2001:db8:2::9   2001:db8:2::11     ::12         ::13
     __________       _______       _______      _______
    |          |     |  rs1  |     |  rs2  |    |  rs3  |
    | director |     |_______|     |_______|    |_______|
    |__________|     VIP on lo, on each
  VIP=2001:db8:2::100
`;

const VIP = '2001:db8:2::100';
const rs = [1, 2, 3].map((n) =>
  realserver(n, [['lan', `2001:db8:2::1${n}/64`]], '2001:db8:2::fe', { vip: { dev: 'lo', address: `${VIP}/128` } }),
);

export const ipv6Dr: Topology = {
  name: 'ipv6-dr',
  summary: 'LVS-DR over IPv6: the VIP on every lo, for which neighbour discovery does not answer',
  level: 'easy',
  teaches: 'why DR over IPv6 has no ARP problem',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '2001:db8:1::1/64'], '2001:db8:1::fe'),
    router(1, [
      ['front', '2001:db8:1::fe/64'],
      ['lan', '2001:db8:2::fe/64'],
    ]),
    director([['lan', '2001:db8:2::9/64']], '2001:db8:2::fe'),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
};
