/**
 * LVS-NAT with a VIP of each of two providers (HOWTO 5.21, Brownfield, Sawari and Black). Replies
 * from the second VIP must leave by the second provider: a policy rule matches their source. The
 * default route is the first provider's.
 */
import { client, director, FORWARDING, ripsOf, router, services, threeRealservers } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

const drawing = `
                           ________
                          |        |  CIP=10.0.0.1
                          | client |
                          |________|
                    ______|        |______
                   |                      |
              ISP 1|10.0.0.251       ISP 2|10.0.0.252
               ____|____              ____|____
              | router  |            | router2 |
              |_________|            |_________|
                   |172.16.1.254          |172.16.2.254
             eth0  |                      |  eth1
       172.16.1.1 -----------------------------  172.16.2.1
   VIP1=172.16.1.110 |      director     |  VIP2=172.16.2.110
                     |___________________|
     main: default via 172.16.1.254       rule: from 172.16.2.0/24
              eth2 |  DIP=192.168.1.254         lookup 136
          -----------------------------   136: default via 172.16.2.254
          |              |            |
   192.168.1.11        .12          .13
      _______        _______      _______
     |  rs1  |      |  rs2  |    |  rs3  |  default gateway: the DIP
     |_______|      |_______|    |_______|
`;

const VIP1 = '172.16.1.110';
const VIP2 = '172.16.2.110';
const ISP2 = 136;
const rs = threeRealservers('back', '192.168.1.254');

export const natTwoIsps: Topology = {
  name: 'nat-two-isps',
  summary: 'LVS-NAT with two providers: replies leave by the provider of their VIP, by policy routing (5.21)',
  level: 'hard',
  teaches: 'policy routing on the director: by the provider of the VIP',
  drawing,
  method: 'masq',
  hosts: [
    client(['internet', '10.0.0.1/24'], undefined, {
      routes: [
        { to: '172.16.1.0/24', via: '10.0.0.251', dev: 'eth0' },
        { to: '172.16.2.0/24', via: '10.0.0.252', dev: 'eth0' },
      ],
    }),
    router(1, [
      ['internet', '10.0.0.251/24'],
      ['isp1', '172.16.1.254/24'],
    ]),
    router(2, [
      ['internet', '10.0.0.252/24'],
      ['isp2', '172.16.2.254/24'],
    ]),
    director(
      [
        ['isp1', '172.16.1.1/24'],
        ['isp2', '172.16.2.1/24'],
        ['back', '192.168.1.254/24'],
      ],
      undefined,
      {
        sysctls: FORWARDING,
        routes: [
          { to: 'default', via: '172.16.1.254', dev: 'eth0' },
          { to: '172.16.2.0/24', dev: 'eth1', table: ISP2 },
          { to: 'default', via: '172.16.2.254', dev: 'eth1', table: ISP2 },
        ],
        policy: [{ priority: 32765, from: '172.16.2.0/24', table: ISP2 }],
      },
    ),
    ...rs,
  ],
  vips: [VIP1, VIP2],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  rules: [VIP1, VIP2].flatMap((vip) => services(vip, ripsOf(rs), '-m')),
  watches: [
    {
      name: 'VIP1 answers by ISP 1',
      host: 'director',
      dev: 'eth0',
      filter: `src host ${VIP1} and not arp`,
      expect: 'some',
    },
    {
      name: 'VIP2 answers by ISP 2',
      host: 'director',
      dev: 'eth1',
      filter: `src host ${VIP2} and not arp`,
      expect: 'some',
    },
    {
      name: 'VIP2 never answers by ISP 1',
      host: 'director',
      dev: 'eth0',
      filter: `src host ${VIP2} and not arp`,
      expect: 'none',
    },
  ],
};
