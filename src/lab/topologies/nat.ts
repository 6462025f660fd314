import { addressOf, type Host, type Topology } from '../topology.js';

/** LVS-NAT (HOWTO chapter 5): two networks, the director between them, and it is the realservers' default gateway. */
const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                 CIP->VIP  |  ^ VIP->CIP
                           v  |
                           |
            eth0  VIP=10.0.0.100 (10.0.0.254)
                       __________
                      |          |   VIP:80 -> RIP:8080   tcp, rr
                      | director |   VIP:7  -> RIP:7007   udp, rr
                      |__________|
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

const VIP = '10.0.0.100';
const HTTP = 8080;
const ECHO = 7007;

function realserver(n: number): Host {
  return {
    name: `rs${n}`,
    role: 'realserver',
    ports: [{ dev: 'eth0', segment: 'back', mac: `02:00:00:00:0b:0${n}`, address: `192.168.1.1${n}/24` }],
    routes: [{ to: 'default', via: '192.168.1.254', dev: 'eth0' }],
  };
}

const rs = [1, 2, 3].map(realserver);

export const nat: Topology = {
  name: 'nat',
  summary: 'LVS-NAT: two networks, replies return through the director, ports remapped',
  drawing,
  method: 'masq',
  hosts: [
    {
      name: 'client',
      role: 'client',
      ports: [{ dev: 'eth0', segment: 'front', mac: '02:00:00:00:0c:01', address: '10.0.0.1/24' }],
    },
    {
      name: 'director',
      role: 'director',
      ports: [
        { dev: 'eth0', segment: 'front', mac: '02:00:00:00:0d:00', address: '10.0.0.254/24' },
        { dev: 'eth1', segment: 'back', mac: '02:00:00:00:0d:01', address: '192.168.1.254/24' },
      ],
    },
    ...rs,
  ],
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: HTTP, echo: ECHO }),
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    ...rs.map((host) => `-a -t ${VIP}:80 -r ${addressOf(host)}:${HTTP} -m -w 1`),
    `-A -u ${VIP}:7 -s rr`,
    ...rs.map((host) => `-a -u ${VIP}:7 -r ${addressOf(host)}:${ECHO} -m -w 1`),
  ],
};
