/**
 * LVS-NAT with rewritten ports (HOWTO 5.7, 5.14 and 5.23): two virtual hosts, VIP1:80 and VIP2:80,
 * are two daemons on one address of each realserver, distinguished by port.
 */
import { client, director, realserver } from '../hosts.js';
import { addressOf, type Server, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
            eth0  VIP1=10.0.0.101  VIP2=10.0.0.102  (10.0.0.254)
                       __________
                      |          |   VIP1:80 -> RIP:8001   VIP1:7 -> RIP:7001
                      | director |   VIP2:80 -> RIP:8002   VIP2:7 -> RIP:7002
                      |__________|
            eth1  DIP=192.168.1.254   default gateway of the realservers
                           |
          ------------------------------------
          |                                  |
     192.168.1.11                       192.168.1.12
     ____________                       ____________
    |    rs1     |                     |    rs2     |
    | www1 :8001 |                     | www1 :8001 |
    | www2 :8002 |                     | www2 :8002 |
    |____________|                     |____________|
`;

const VHOSTS = [1, 2];
const vip = (vhost: number) => `10.0.0.10${vhost}`;
const rs = [1, 2].map((n) => realserver(n, [['back', `192.168.1.1${n}/24`]], '192.168.1.254'));

const daemons: Server[] = VHOSTS.flatMap((vhost) =>
  rs.map((host) => ({
    name: `${host.name}-www${vhost}`,
    host: host.name,
    rip: addressOf(host),
    addresses: [addressOf(host)],
    http: 8000 + vhost,
    echo: 7000 + vhost,
  })),
);

function rulesOf(vhost: number): string[] {
  const service = (kind: string, port: number, rport: number) => [
    `-A ${kind} ${vip(vhost)}:${port} -s rr`,
    ...rs.map((host) => `-a ${kind} ${vip(vhost)}:${port} -r ${addressOf(host)}:${rport} -m -w 1`),
  ];
  return [...service('-t', 80, 8000 + vhost), ...service('-u', 7, 7000 + vhost)];
}

export const natPortRemap: Topology = {
  name: 'nat-port-remap',
  summary: 'LVS-NAT rewrites ports: two daemons on each realserver, one for each virtual host (5.7, 5.14, 5.23)',
  level: 'easy',
  teaches: 'ports: one daemon for each virtual host, on ports of their own',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24']),
    director([
      ['front', '10.0.0.254/24'],
      ['back', '192.168.1.254/24'],
    ]),
    ...rs,
  ],
  vips: VHOSTS.map(vip),
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 8001, echo: 7001 }),
  servers: daemons,
  rules: VHOSTS.flatMap(rulesOf),
};
