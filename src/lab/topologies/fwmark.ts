import { addressOf, type Host, type Topology } from '../topology.js';

/**
 * A director without a VIP (HOWTO chapters 24 and 26): the router sends it a whole /24; no address of that range is on
 * any interface of the director. Packets are picked by firewall mark and masqueraded.
 */
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

function realserver(n: number): Host {
  return {
    name: `rs${n}`,
    role: 'realserver',
    ports: [{ dev: 'eth0', segment: 'back', mac: `02:00:00:00:0b:0${n}`, address: `192.168.1.1${n}/24` }],
    routes: [{ to: 'default', via: '192.168.1.254', dev: 'eth0' }],
  };
}

const rs = [1, 2, 3].map(realserver);

export const fwmark: Topology = {
  name: 'fwmark',
  summary: 'VIP-less director: a /24 of virtual addresses by firewall mark, none of them on an interface',
  drawing,
  method: 'masq',
  hosts: [
    {
      name: 'client',
      role: 'client',
      ports: [{ dev: 'eth0', segment: 'front', mac: '02:00:00:00:0c:01', address: '10.0.0.1/24' }],
      routes: [{ to: 'default', via: '10.0.0.254', dev: 'eth0' }],
    },
    {
      name: 'router',
      role: 'router',
      ports: [
        { dev: 'eth0', segment: 'front', mac: '02:00:00:00:0a:00', address: '10.0.0.254/24' },
        { dev: 'eth1', segment: 'middle', mac: '02:00:00:00:0a:01', address: '10.1.0.254/24' },
      ],
      routes: [{ to: RANGE, via: '10.1.0.9', dev: 'eth1' }],
      sysctls: { 'net.ipv4.ip_forward': 1 },
    },
    {
      name: 'director',
      role: 'director',
      ports: [
        { dev: 'eth0', segment: 'middle', mac: '02:00:00:00:0d:00', address: '10.1.0.9/24' },
        { dev: 'eth1', segment: 'back', mac: '02:00:00:00:0d:01', address: '192.168.1.254/24' },
      ],
      routes: [{ to: 'default', via: '10.1.0.254', dev: 'eth0' }],
    },
    ...rs,
  ],
  // 254 is not a multiple of 3: over 300 requests every address meets more than one realserver.
  vips: Array.from({ length: 254 }, (_, i) => `10.9.0.${i + 1}`),
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  marks: [
    `-i eth0 -d ${RANGE} -p tcp --dport 80 -j MARK --set-mark 1`,
    `-i eth0 -d ${RANGE} -p udp --dport 7 -j MARK --set-mark 2`,
  ],
  ranges: [RANGE],
  rules: [
    '-A -f 1 -s rr',
    ...rs.map((host) => `-a -f 1 -r ${addressOf(host)}:0 -m -w 1`),
    '-A -f 2 -s rr',
    ...rs.map((host) => `-a -f 2 -r ${addressOf(host)}:0 -m -w 1`),
  ],
};
