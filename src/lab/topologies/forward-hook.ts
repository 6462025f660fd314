/**
 * The LVS target (HOWTO 24.5, Ludo's -j LVS): the director is a router on the way to an existing
 * server. It takes marked packets out of the forwarded traffic and balances them, without accepting
 * their address. Other packets go on to the server.
 */
import { requestsPastService } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, FORWARDING, markedServices, marksFor, ripsOf, threeRealservers } from '../hosts.js';
import { addressOf, type Host, serverOn, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1, default via 10.0.0.254
                       |________|
                           |
            eth0  10.0.0.254
                       __________   ip_forward=1, accepts nothing
                      |          |  -d 172.16.5.80 tcp 80  MARK 1
                      | director |  -d 172.16.5.80 udp 7   MARK 2
                      |__________|
       eth1 192.168.1.254     eth2 172.16.5.254
              |                        |
     ---------------------             | everything else: CIP->172.16.5.80
     |         |         |          ___|____
   .11       .12       .13         | origin |  172.16.5.80 :8081
  _______   _______   _______      |________|
 |  rs1  | |  rs2  | |  rs3  |
 |_______| |_______| |_______|     default gateway: 192.168.1.254
`;

const SERVER = '172.16.5.80';
const origin: Host = {
  name: 'origin',
  role: 'router',
  ports: [{ dev: 'eth0', segment: 'far', mac: '02:00:00:00:0f:00', address: `${SERVER}/24` }],
  routes: [{ to: 'default', via: '172.16.5.254', dev: 'eth0' }],
};
const rs = threeRealservers('back', '192.168.1.254');
const listeners = (host: Host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 });

export const forwardHook: Topology<Check> = {
  name: 'forward-hook',
  summary: 'A router balances marked traffic for an existing server instead of forwarding it (24.5, -j LVS)',
  level: 'medium',
  teaches: 'a router balances traffic for a server that is there already',
  drawing,
  vipOnHost: true,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    director(
      [
        ['front', '10.0.0.254/24'],
        ['back', '192.168.1.254/24'],
        ['far', '172.16.5.254/24'],
      ],
      undefined,
      {
        sysctls: FORWARDING,
      },
    ),
    origin,
    ...rs,
  ],
  vips: [SERVER],
  httpPort: 80,
  echoPort: 7,
  listeners,
  servers: [
    ...rs.map((host) => serverOn(host, listeners(host))),
    { ...serverOn(origin, { ...listeners(origin), http: 8081, echo: 7081 }), excluded: true },
  ],
  marks: marksFor(SERVER, 'eth0'),
  rules: markedServices(ripsOf(rs), '-m'),
  checks: [
    requestsPastService('client', { address: SERVER, port: 8081 }, 'unmarked traffic reaches the server itself'),
  ],
  watches: [
    {
      name: 'the server gets no marked packet',
      host: 'origin',
      dev: 'eth0',
      filter: 'tcp port 80 or udp port 7',
      expect: 'none',
    },
  ],
};
