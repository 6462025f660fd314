/**
 * A /24 of VIPs by LVS-DR, none of them on an interface (HOWTO 24.2-24.4). The director accepts
 * them by mark, the realservers by Julian's local route.
 */
import { client, director, onRange, router, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____
                       | router |  10.9.0.0/24 via 192.168.1.9
                       |________|
                           |  192.168.1.254
          -------------------------------------------
          |              |             |            |
     192.168.1.9    192.168.1.11      .12          .13
     __________       _______       _______      _______
    |          |     |  rs1  |     |  rs2  |    |  rs3  |
    | director |     |_______|     |_______|    |_______|
    |__________|
    -d 10.9.0.0/24 tcp 80  MARK 1     ip route add local
    -d 10.9.0.0/24 udp 7   MARK 2       10.9.0.0/24 dev lo
`;

const RANGE = '10.9.0.0/24';
const rs = threeRealservers('lan', '192.168.1.254', { ip: [`route add local ${RANGE} dev lo`] });
/** Each VIP needs sockets on the realservers; the whole range is balanced. */
const VIPS = [1, 2, 77, 128, 254].map((n) => `10.9.0.${n}`);

export const fwmarkRange: Topology = {
  name: 'fwmark-range',
  summary:
    'LVS-DR for a /24 of VIPs that no interface has: by mark on the director, by local route on realservers (24.4)',
  level: 'hard',
  teaches: 'a /24 of VIPs by DR: marks, and local routes on realservers',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['lan', '192.168.1.254/24'],
      ],
      {
        routes: [{ to: RANGE, via: '192.168.1.9', dev: 'eth1' }],
      },
    ),
    director([['lan', '192.168.1.9/24']], '192.168.1.254'),
    ...rs,
  ],
  ...onRange(RANGE, VIPS, rs),
};
