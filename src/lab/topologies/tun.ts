import { addressOf, type Host, type Port, type Route, type Topology } from '../topology.js';

/**
 * LVS-Tun: the realservers are on networks of their own, behind the router; the director wraps CIP->VIP into DIP->RIP.
 * A realserver unwraps it onto tun0, where the VIP is (no source check there: the client's address comes out of a tunnel).
 */
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

function realserver(n: number): Host {
  return {
    name: `rs${n}`,
    role: 'realserver',
    ports: [{ dev: 'eth0', segment: `remote${n}`, mac: `02:00:00:00:0b:0${n}`, address: `172.16.${n}.11/24` }],
    routes: [{ to: 'default', via: `172.16.${n}.254`, dev: 'eth0' }],
    sysctls: {
      'net.ipv4.conf.all.rp_filter': 0,
      'net.ipv4.conf.default.rp_filter': 0,
      'net.ipv4.conf.all.arp_ignore': 1,
      'net.ipv4.conf.all.arp_announce': 2,
    },
    extra: { dev: 'tun0', address: `${VIP}/32` },
  };
}

const towardsRealservers: Port[] = NETWORKS.map((n) => ({
  dev: `eth${n + 1}`,
  segment: `remote${n}`,
  mac: `02:00:00:00:0a:0${n + 1}`,
  address: `172.16.${n}.254/24`,
}));
const byRouter: Route = { to: 'default', via: '192.168.1.254', dev: 'eth0' };
const rs = NETWORKS.map(realserver);

export const tun: Topology = {
  name: 'tun',
  summary: 'LVS-Tun: realservers on other networks, reached by IPIP through a router; replies miss the director',
  drawing,
  method: 'ipip',
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
        { dev: 'eth1', segment: 'lan', mac: '02:00:00:00:0a:01', address: '192.168.1.254/24' },
        ...towardsRealservers,
      ],
      // rp_filter off: a reply's source, the VIP, is a neighbour on eth1 but comes in on eth2..4.
      sysctls: { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.rp_filter': 0, 'net.ipv4.conf.default.rp_filter': 0 },
    },
    {
      name: 'director',
      role: 'director',
      ports: [{ dev: 'eth0', segment: 'lan', mac: '02:00:00:00:0d:00', address: '192.168.1.9/24' }],
      routes: [byRouter],
    },
    ...rs,
  ],
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host), VIP], http: 80, echo: 7 }),
  rules: [
    `-A -t ${VIP}:80 -s rr`,
    ...rs.map((host) => `-a -t ${VIP}:80 -r ${addressOf(host)}:80 -i -w 1`),
    `-A -u ${VIP}:7 -s rr`,
    ...rs.map((host) => `-a -u ${VIP}:7 -r ${addressOf(host)}:7 -i -w 1`),
  ],
};
