/**
 * LVS-NAT in one network with few known clients (HOWTO 5.12.4). Only the routes between clients and
 * realservers lead via the director; realservers reach each other directly.
 */
import { requestsPastService } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, NO_REDIRECTS, onRip, ripsOf, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |  CIP=192.168.1.254
                       | client |  192.168.1.11..13 via 192.168.1.9
                       |________|
                           |
             __________    |
            |          |   |   VIP=192.168.1.110
            | director |---|
            |__________|   |   DIP=192.168.1.9
                           |
          -----------------------------------
          |                |                |
   RIP=192.168.1.11    RIP=.12          RIP=.13       (all eth0)
    _____________     _____________    _____________
   |             |   |             |  |             |
   |     rs1     |<->|     rs2     |  |     rs3     |
   |_____________|   |_____________|  |_____________|
         192.168.1.254 via 192.168.1.9, the rest on the wire
`;

const VIP = '192.168.1.110';
const DIP = '192.168.1.9';
const CIP = '192.168.1.254';
const IGNORES_REDIRECTS = { 'net.ipv4.conf.all.accept_redirects': 0, 'net.ipv4.conf.default.accept_redirects': 0 };
const rs = threeRealservers('lan', undefined, {
  ip: [`route add ${CIP} via ${DIP} dev eth0`],
  sysctls: IGNORES_REDIRECTS,
});

export const natOneNetStaticRoutes: Topology<Check> = {
  name: 'nat-one-net-static-routes',
  summary: 'LVS-NAT in one network: host routes for a few known clients, realservers talk directly (5.12.4)',
  level: 'medium',
  teaches: 'NAT in one network with routes to a few known clients only',
  drawing,
  method: 'masq',
  hosts: [
    client(['lan', `${CIP}/24`], undefined, {
      ip: ripsOf(rs).map((rip) => `route add ${rip} via ${DIP} dev eth0`),
    }),
    director([['lan', `${DIP}/24`]], undefined, { sysctls: NO_REDIRECTS }),
    ...rs,
  ],
  ...onRip(VIP, rs),
  checks: [requestsPastService('rs1', { address: '192.168.1.12', port: 80 }, 'realservers reach each other')],
  watches: [
    {
      name: 'the director does not see that traffic',
      host: 'director',
      dev: 'eth0',
      filter: 'host 192.168.1.11 and host 192.168.1.12 and tcp',
      expect: 'none',
    },
    {
      name: 'no ICMP redirect',
      host: 'director',
      dev: 'eth0',
      filter: 'icmp[icmptype] == icmp-redirect',
      expect: 'none',
    },
  ],
};
