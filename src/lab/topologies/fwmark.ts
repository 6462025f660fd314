/**
 * A director without a VIP (HOWTO chapters 24 and 26): the router sends it a whole /24, and no
 * interface of the director has an address of that range. A firewall mark selects packets, which
 * are masqueraded.
 */
import { client, director, markedServices, marksFor, ripsOf, router, threeRealservers } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ________
                       |        |  eth0 10.0.0.254
                       | router |  eth1 10.1.0.254
                       |________|  10.9.0.0/24 via 10.1.0.9
                           |
        CIP->10.9.0.x:80   |  ^ 10.9.0.x:80->CIP
                           v  |
            eth0  10.1.0.9             no VIP on any interface
                       __________
                      |          |   -d 10.9.0.0/24 tcp 80  MARK 1
                      | director |   -d 10.9.0.0/24 udp 7   MARK 2
                      |__________|   -f 1, -f 2: rr, masq
            eth1  DIP=192.168.1.254   default gateway of the realservers
                           |
                 CIP->RIP  |  ^ RIP->CIP
                           v  |
          -----------------------------------
          |                |                |
   192.168.1.11     192.168.1.12     192.168.1.13
     _______          _______          _______
    |       |        |       |        |       |
    |  rs1  |        |  rs2  |        |  rs3  |
    |_______|        |_______|        |_______|
`;

const RANGE = '10.9.0.0/24';
const rs = threeRealservers('back', '192.168.1.254');

export const fwmark: Topology = {
  name: 'fwmark',
  summary: 'VIP-less director: a /24 of virtual addresses by firewall mark, none of them on an interface',
  level: 'medium',
  teaches: 'marks: one service for a /24 of addresses that nobody has',
  drawing,
  method: 'masq',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['middle', '10.1.0.254/24'],
      ],
      { routes: [{ to: RANGE, via: '10.1.0.9', dev: 'eth1' }] },
    ),
    director(
      [
        ['middle', '10.1.0.9/24'],
        ['back', '192.168.1.254/24'],
      ],
      '10.1.0.254',
    ),
    ...rs,
  ],
  // 254 is not a multiple of 3: over 300 requests every address meets more than one realserver.
  vips: Array.from({ length: 254 }, (_, i) => `10.9.0.${i + 1}`),
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  marks: marksFor(RANGE, 'eth0'),
  ranges: [RANGE],
  rules: markedServices(ripsOf(rs), '-m'),
};
