import { endpoint } from '../../service/config.js';
import { takenAt } from '../checks/direct.js';
import type { Check } from '../checks/run.js';
import { behindRouter, realserver, ripsOf, services } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

/**
 * HOWTO 26.11: TPROXY gives the packet to a socket of any port and does not touch it: the daemon listens on 8080 and sees
 * VIP:80 as its own address. The mark chooses a table where everything is local.
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
    |__________|     CIP->VIP:80  tproxy to :8080, mark 1
  VIP=192.168.1.110  ip rule add fwmark 1 lookup 100
                     100: local 0.0.0.0/0 dev lo
`;

const VIP = '192.168.1.110';
const tproxy = [
  'table ip horms {',
  '  chain prerouting {',
  '    type filter hook prerouting priority mangle;',
  `    ip daddr ${VIP} tcp dport 80 tproxy to :8080 meta mark set 1`,
  `    ip daddr ${VIP} udp dport 7 meta mark set 1`,
  '  }',
  '}',
];
const rs = [1, 2, 3].map((n) =>
  realserver(n, [['lan', `192.168.1.1${n}/24`]], '192.168.1.254', {
    nft: tproxy,
    ip: ['rule add fwmark 1 lookup 100', 'route add local 0.0.0.0/0 dev lo table 100'],
    sysctls: { 'net.ipv4.ip_nonlocal_bind': 1 },
  }),
);

export const tproxyRealserver: Topology<Check> = {
  name: 'tproxy-realserver',
  summary: 'TPROXY: realservers hand the packet for VIP:80 to a daemon on 8080 and leave it as it is (26.11)',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host), VIP], http: 8080, echo: 7, transparent: true }),
  rules: services(VIP, ripsOf(rs), '-g'),
  checks: [takenAt([endpoint(VIP, 80)], 'the daemon on 8080 sees VIP:80 as destination')],
};
