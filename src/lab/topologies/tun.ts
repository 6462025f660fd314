/**
 * LVS-Tun: each realserver is on a network of its own behind the router. The director encapsulates
 * CIP->VIP in DIP->RIP. A realserver decapsulates it onto tun0, which has the VIP and no source
 * check, because the client's address arrives there.
 */
import { client, director, FORWARDING, LOOSE, onVip, QUIET_ARP, realserver, router } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                 CIP->VIP  |  ^ VIP->CIP
                           v  |
                        ________
                       |        | eth0 10.0.0.254
                       | router | eth1 192.168.1.254 ----------.
                       |________| eth2..4 172.16.N.254          |
                        |   |  |                            __________
       DIP->RIP         |   |  |         CIP->VIP  ->      |          |
       (CIP->VIP)  -----'   |  '------   <- DIP->RIP       | director |
       |                    |        |     (CIP->VIP)      |__________|
  172.16.1.11       172.16.2.11    172.16.3.11         VIP=192.168.1.110
    ________          ________       ________          DIP=192.168.1.9
   |tun0:VIP|        |tun0:VIP|     |tun0:VIP|
   |  rs1   |        |  rs2   |     |  rs3   |    replies VIP->CIP go to the
   |________|        |________|     |________|    router, not to the director
`;

const VIP = '192.168.1.110';
const NETWORKS = [1, 2, 3];
const rs = NETWORKS.map((n) =>
  realserver(n, [[`remote${n}`, `172.16.${n}.11/24`]], `172.16.${n}.254`, {
    sysctls: { ...LOOSE, ...QUIET_ARP },
    vip: { dev: 'tun0', address: `${VIP}/32` },
  }),
);

export const tun: Topology = {
  name: 'tun',
  summary: 'LVS-Tun: realservers on other networks, reached by IPIP through a router; replies do not pass the director',
  level: 'medium',
  teaches: 'Tun: realservers anywhere that IP goes, by IPIP',
  drawing,
  method: 'ipip',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['lan', '192.168.1.254/24'],
        ...NETWORKS.map((n) => [`remote${n}`, `172.16.${n}.254/24`] as const),
      ],
      // The source of a reply, the VIP, is on eth1, but the reply arrives on eth2, eth3 or eth4.
      { sysctls: { ...FORWARDING, ...LOOSE } },
    ),
    director([['lan', '192.168.1.9/24']], '192.168.1.254'),
    ...rs,
  ],
  ...onVip(VIP, rs, '-i'),
};
