/**
 * TPROXY (HOWTO 26.11): nft gives the packet unchanged to a socket on another port. The daemon
 * listens on 8080 and sees VIP:80 as its own address. A mark selects a table in which every address
 * is local.
 */
import { endpoint } from '../../service/config.js';
import { acceptedAt } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { behindRouter, drawingBehindRouter, onVip, threeRealservers } from '../hosts.js';
import { addressOf, type Topology } from '../topology.js';

const drawing = drawingBehindRouter(
  'CIP->VIP:80  tproxy to :8080, mark 1',
  '  VIP=192.168.1.110  ip rule add fwmark 1 lookup 100',
  '                     100: local 0.0.0.0/0 dev lo',
);

const VIP = '192.168.1.110';
const tproxy = [
  'table ip horms {',
  '  chain prerouting {',
  '    type filter hook prerouting priority mangle;',
  `    ip daddr ${VIP} tcp dport 80 tproxy to :8080 meta mark set 1`,
  `    ip daddr ${VIP} udp dport 7 meta mark set 1`,
  '  }',
  '}',
];
const rs = threeRealservers('lan', '192.168.1.254', {
  nft: tproxy,
  ip: ['rule add fwmark 1 lookup 100', 'route add local 0.0.0.0/0 dev lo table 100'],
  sysctls: { 'net.ipv4.ip_nonlocal_bind': 1 },
});

export const tproxyRealserver: Topology<Check> = {
  name: 'tproxy-realserver',
  summary: 'TPROXY: realservers give packets for VIP:80 unchanged to a daemon on port 8080 (26.11)',
  level: 'hard',
  teaches: 'realservers without the VIP: TPROXY to another port',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  ...onVip(VIP, rs, '-g'),
  listeners: (host) => ({ addresses: [addressOf(host), VIP], http: 8080, echo: 7, transparent: true }),
  checks: [acceptedAt([endpoint(VIP, 80)], 'the daemon on 8080 sees VIP:80 as destination')],
};
