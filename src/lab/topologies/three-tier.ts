/**
 * A realserver is a client of another virtual service of the same director: a web tier, and
 * databases behind it.
 */
import { requestsFrom } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, FORWARDING, realserver, ripsOf, services } from '../hosts.js';
import { addressOf, type Host, type Server, serverOn, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
            eth0  VIP=10.0.0.100 (10.0.0.254)
                       __________
                      |          |   VIP:80    -> rs1, rs2
                      | director |   VIP2:5432 -> rs3, rs4
                      |__________|
   eth1 192.168.1.254         eth2 192.168.2.254
   VIP2=192.168.1.200 |           |
          ---------------       ---------------
          |             |       |             |
       .1.11         .1.12    .2.11         .2.12
       _______      _______   _______      _______
      |  rs1  |    |  rs2  | |  rs3  |    |  rs4  |
      |  web  |    |  web  | |  db   |    |  db   |
      |_______|    |_______| |_______|    |_______|
         RIP->VIP2 -> director -> CIP=RIP of web, to a db
`;

const VIP = '10.0.0.100';
const VIP2 = '192.168.1.200';
const DB = 5432;
const web = [1, 2].map((n) => realserver(n, [['web', `192.168.1.1${n}/24`]], '192.168.1.254'));
const db = [3, 4].map((n) => realserver(n, [['db', `192.168.2.1${n - 2}/24`]], '192.168.2.254'));
const listeners = (host: Host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 });
const servers: Server[] = [
  ...web.map((host) => serverOn(host, listeners(host))),
  ...db.map((host) => ({ ...serverOn(host, { ...listeners(host), http: DB, echo: 7007 }), excluded: true as const })),
];

export const threeTier: Topology<Check> = {
  name: 'three-tier',
  summary: 'Realservers are clients of a second virtual service, on the same director',
  level: 'medium',
  teaches: 'realservers are clients of another virtual service',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24']),
    director(
      [
        ['front', '10.0.0.254/24'],
        ['web', '192.168.1.254/24'],
        ['db', '192.168.2.254/24'],
      ],
      undefined,
      {
        sysctls: FORWARDING,
      },
    ),
    ...web,
    ...db,
  ],
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners,
  servers,
  rules: [
    ...services(VIP, ripsOf(web), '-m'),
    `-A -t ${VIP2}:${DB} -s rr`,
    ...ripsOf(db).map((rip) => `-a -t ${VIP2}:${DB} -r ${rip}:${DB} -m -w 1`),
  ],
  checks: [
    requestsFrom('rs1', ripsOf(web)[0]!, 'rs1 is served by the databases', { address: VIP2, port: DB }),
    requestsFrom('rs2', ripsOf(web)[1]!, 'rs2 is served by the databases', { address: VIP2, port: DB }),
  ],
};
