/**
 * LocalNode: the director is one of the realservers. Its kernel needs the VIP for that; packets are
 * not rewritten.
 */
import { client, director, realserver, services, withVip } from '../hosts.js';
import { addressOf, type Host, serverOn, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.1.254
                       |________|
                           |
             __________    |
            |          |   |    VIP=192.168.1.110 (eth0)
            | director |---|    DIP=192.168.1.9
            |__________|   |
              httpd on VIP |    -a -t VIP:80 -r DIP:80   Local
                           |    -a -t VIP:80 -r RIP:80 -g
            -------------------------
            |                       |
       RIP=192.168.1.11         RIP=.12    (eth0)
        _____________         _____________
       |     rs1     |       |     rs2     |  VIP on lo, does not arp
       |_____________|       |_____________|
`;

const VIP = '192.168.1.110';
const DIP = '192.168.1.9';
const rs = [1, 2].map((n) => realserver(n, [['lan', `192.168.1.1${n}/24`]], undefined, withVip(VIP)));
const listeners = (host: Host) => ({ addresses: [addressOf(host), VIP], http: 80, echo: 7 });
const servers = [
  { name: 'local', host: 'director', rip: DIP, addresses: [VIP], http: 80, echo: 7 },
  ...rs.map((host) => serverOn(host, listeners(host))),
];

export const localnode: Topology = {
  name: 'localnode',
  summary: 'LocalNode: the director is one of three realservers of LVS-DR',
  level: 'medium',
  teaches: 'the director is a realserver of its own service',
  drawing,
  vipOnHost: true,
  method: 'gatewaying',
  hosts: [client(['lan', '192.168.1.254/24']), director([['lan', `${DIP}/24`, `${VIP}/32`]]), ...rs],
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners,
  servers,
  rules: services(
    VIP,
    servers.map(({ rip }) => rip),
    '-g',
  ),
  hostStack: true,
  repliesPass: true,
};
