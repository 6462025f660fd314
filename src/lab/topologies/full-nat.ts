import { behindRouter, realserver, ripsOf, services } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

/**
 * Full NAT (asked for in HOWTO 5.19): both addresses are rewritten, so a realserver needs no route by the director; its
 * default gateway is the router, and it is in the network of everybody. The client's address goes along as a TCP option.
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
    |__________|      default via the router
  VIP=192.168.1.110
  sources: 192.168.1.240    CIP->VIP  ==>  192.168.1.240->RIP
`;

const VIP = '192.168.1.110';
const rs = [1, 2, 3].map((n) => realserver(n, [['lan', `192.168.1.1${n}/24`]], '192.168.1.254'));

export const fullNat: Topology = {
  name: 'full-nat',
  summary: 'Full NAT: realservers see an address of the director, need no route by it, and keep their gateway (5.19)',
  drawing,
  method: 'fullnat',
  hosts: behindRouter(rs),
  vips: [VIP],
  httpPort: 80,
  echoPort: 7,
  listeners: (host) => ({ addresses: [addressOf(host)], http: 80, echo: 7 }),
  rules: services(VIP, ripsOf(rs), '--full-nat'),
  sources: ['192.168.1.240'],
  watches: [
    {
      name: 'no realserver speaks to the client',
      host: 'router',
      dev: 'eth1',
      filter: 'ip src host 192.168.1.11',
      expect: 'none',
    },
  ],
};
