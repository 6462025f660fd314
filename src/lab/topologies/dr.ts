/**
 * LVS-DR (HOWTO chapter 7): director and realservers on one wire. Every realserver has the VIP on
 * lo and does not answer ARP for it, so the router sends packets for the VIP to the director only.
 * Replies do not pass the director.
 */
import { behindRouter, onVip, threeRealservers, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                 CIP->VIP  |  ^
                           v  |  VIP->CIP
                        ________
                       |        |  eth0 10.0.0.254
                       | router |  eth1 192.168.1.254
                       |________|
                           |    <----------------------.
         .-----------------+-----------------.         | VIP->CIP
         |        |                 |        |         | (never by
         |        |                 |        |         |  the director)
     __________   |                 |        |
    |          |  192.168.1.11     .12      .13
    | director |  _______         _______   _______
    |__________| |lo:VIP |       |lo:VIP | |lo:VIP |   arp_ignore=1
         |       |  rs1  |       |  rs2  | |  rs3  |   arp_announce=2
         |       |_______|       |_______| |_______|
         |           ^               ^         ^
         '-----------'---------------'---------'
   VIP=192.168.1.110 (arps)     MAC_DIP->MAC_RIP (CIP->VIP)
   DIP=192.168.1.9
`;

const VIP = '192.168.1.110';
const rs = threeRealservers('lan', '192.168.1.254', withVip(VIP));

export const dr: Topology = {
  name: 'dr',
  summary: 'LVS-DR: one wire, the VIP on every lo, replies go by the router and do not pass the director',
  level: 'easy',
  teaches: 'DR: every realserver has the VIP, only the director answers ARP',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  ...onVip(VIP, rs, '-g'),
};
