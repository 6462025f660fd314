/**
 * LVS-NAT by policy routing on the realservers (HOWTO 5.4, Neil Prockter): the director is not the
 * default gateway. A rule routes packets from the RIP and the service's port via the DIP; other
 * traffic uses the router.
 */
import { requestsPastService } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, onRip, realserver, router } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
             ----------------------------
             | 10.0.0.2                 | 10.0.0.254
             |                          |  VIP=10.0.0.100
         ____|_____                 ____|_____
        |          |               |          |
        |  router  |               | director |
        |__________|               |__________|
             | 192.168.1.2              | DIP=192.168.1.254
             |                          |
          -----------------------------------
          |                |                |
     192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |  rs1  |        |  rs2  |        |  rs3  |
    |_______|        |_______|        |_______|
      main:   default via 192.168.1.2
      rule:   from RIP tcp sport 80 (udp sport 7)  lookup 80
      80:     default via 192.168.1.254
`;

const VIP = '10.0.0.100';
const lvs = (rip: string) => [
  'route add default via 192.168.1.254 dev eth0 table 80',
  `rule add from ${rip} ipproto tcp sport 80 lookup 80`,
  `rule add from ${rip} ipproto udp sport 7 lookup 80`,
];
const rs = [1, 2, 3].map((n) =>
  realserver(n, [['back', `192.168.1.1${n}/24`]], '192.168.1.2', { ip: lvs(`192.168.1.1${n}`) }),
);

export const natPolicyRoute: Topology<Check> = {
  name: 'nat-policy-route',
  summary: "LVS-NAT by policy routing on the realservers: only the service's replies are routed via the DIP (5.4)",
  level: 'hard',
  teaches: 'policy routing on realservers: only replies by the director',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.2'),
    router(1, [
      ['front', '10.0.0.2/24'],
      ['back', '192.168.1.2/24'],
    ]),
    director([
      ['front', '10.0.0.254/24'],
      ['back', '192.168.1.254/24'],
    ]),
    ...rs,
  ],
  ...onRip(VIP, rs),
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7, alsoHttp: [8080] }),
  checks: [
    requestsPastService(
      'client',
      { address: '192.168.1.11', port: 8080 },
      'a service of the realserver outside LVS answers',
    ),
  ],
  watches: [
    { name: 'its traffic goes by the router', host: 'router', dev: 'eth1', filter: 'tcp port 8080', expect: 'some' },
    {
      name: 'its traffic does not pass the director',
      host: 'director',
      dev: 'eth1',
      filter: 'tcp port 8080',
      expect: 'none',
    },
    {
      name: 'no balanced packet goes by the router',
      host: 'router',
      dev: 'eth1',
      filter: 'tcp port 80 or udp port 7',
      expect: 'none',
    },
  ],
};
