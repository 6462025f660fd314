/**
 * Transparent proxy as in Linux 2.2 (HOWTO 26.7): the packet is delivered unchanged to a daemon
 * that listens on the VIP or on all addresses. Today a local route does that; no interface has the
 * VIP.
 */
import { endpoint } from '../../service/config.js';
import { acceptedAt } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { behindRouter, drawingBehindRouter, onVip, QUIET_ARP, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = drawingBehindRouter(
  'CIP->VIP stays CIP->VIP; httpd on the VIP',
  '  VIP=192.168.1.110  ip route add local VIP dev lo',
);

const VIP = '192.168.1.110';
const rs = threeRealservers('lan', '192.168.1.254', {
  ip: [`route add local ${VIP} dev lo`],
  sysctls: QUIET_ARP,
});

export const tp22Realserver: Topology<Check> = {
  name: 'tp22-realserver',
  summary:
    'Transparent proxy of Linux 2.2: realservers deliver packets for the VIP unchanged to a daemon on the VIP (26.7)',
  level: 'medium',
  teaches: 'realservers without the VIP: a local route for it',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  ...onVip(VIP, rs, '-g'),
  checks: [acceptedAt([endpoint(VIP, 80)], 'the daemon sees the VIP as destination')],
};
