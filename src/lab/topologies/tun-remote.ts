/**
 * LVS-Tun to remote realservers (HOWTO 7.9): each is behind a router of its own, by which it also
 * answers. Decapsulated packets come from the client, to which another interface leads, so
 * rp_filter must be 0.
 */
import { client, director, FORWARDING, LOOSE, onVip, realserver, router } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
        ------------------------------------------ internet 10.0.0.0/24
        | .254             | .251             | .252
     ___|____           ___|____           ___|____
    | router |         | router2|         | router3|
    |________|         |________|         |________|
        | .254             | 172.16.1.254     | 172.16.2.254
        |                  |                  |
   192.168.1.9        172.16.1.11        172.16.2.11
    __________          ________           ________
   |          |        |tun0:VIP|         |tun0:VIP|  rp_filter=0
   | director |        |  rs1   |         |  rs2   |  replies by their
   |__________|        |________|         |________|  own router
   VIP=192.168.1.110
        DIP->RIP (CIP->VIP) goes over the internet
`;

const VIP = '192.168.1.110';
const rs = [1, 2].map((n) =>
  realserver(n, [[`site${n}`, `172.16.${n}.11/24`]], `172.16.${n}.254`, {
    sysctls: LOOSE,
    vip: { dev: 'tun0', address: `${VIP}/32` },
  }),
);
const sites = [1, 2].map((n) => ({ to: `172.16.${n}.0/24`, via: `10.0.0.25${n}`, dev: 'eth0' }));

export const tunRemote: Topology = {
  name: 'tun-remote',
  summary: 'LVS-Tun to remote realservers: each is behind its own router and answers by it; rp_filter=0 (7.9)',
  level: 'hard',
  teaches: 'rp_filter; replies leave by another router than requests come',
  drawing,
  method: 'ipip',
  hosts: [
    client(['internet', '10.0.0.1/24'], undefined, {
      routes: [{ to: '192.168.1.0/24', via: '10.0.0.254', dev: 'eth0' }],
    }),
    router(
      1,
      [
        ['internet', '10.0.0.254/24'],
        ['lan', '192.168.1.254/24'],
      ],
      { routes: sites },
    ),
    ...[1, 2].map((n) =>
      router(
        n + 1,
        [
          ['internet', `10.0.0.25${n}/24`],
          [`site${n}`, `172.16.${n}.254/24`],
        ],
        {
          routes: [{ to: '192.168.1.0/24', via: '10.0.0.254', dev: 'eth0' }],
          sysctls: { ...FORWARDING, ...LOOSE },
        },
      ),
    ),
    director([['lan', '192.168.1.9/24']], '192.168.1.254'),
    ...rs,
  ],
  ...onVip(VIP, rs, '-i'),
  watches: [
    {
      name: "rs1's replies leave by its own router",
      host: 'router2',
      dev: 'eth0',
      filter: `src host ${VIP}`,
      expect: 'some',
    },
    {
      name: "rs1's replies do not go by the director's router",
      host: 'router',
      dev: 'eth1',
      filter: `src host ${VIP} and not arp`,
      expect: 'none',
    },
  ],
};
