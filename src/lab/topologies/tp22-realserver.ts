import { endpoint } from '../../service/config.js';
import { takenAt } from '../checks/direct.js';
import type { Check } from '../checks/run.js';
import { behindRouter, onVip, QUIET_ARP, realserver } from '../hosts.js';
import type { Topology } from '../topology.js';

/**
 * HOWTO 26.7, transparent proxy as of Linux 2.2: the packet is delivered as it is, to a daemon that listens on the VIP or
 * on all addresses. What does that today is a local route; no interface has the VIP.
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
    |__________|     CIP->VIP stays CIP->VIP; httpd on the VIP
  VIP=192.168.1.110  ip route add local VIP dev lo
`;

const VIP = '192.168.1.110';
const rs = [1, 2, 3].map((n) =>
  realserver(n, [['lan', `192.168.1.1${n}/24`]], '192.168.1.254', {
    ip: [`route add local ${VIP} dev lo`],
    sysctls: QUIET_ARP,
  }),
);

export const tp22Realserver: Topology<Check> = {
  name: 'tp22-realserver',
  summary:
    'Transparent proxy of 2.2: realservers deliver the packet for the VIP as it is, the daemon is on the VIP (26.7)',
  drawing,
  method: 'gatewaying',
  hosts: behindRouter(rs),
  ...onVip(VIP, rs, '-g'),
  checks: [takenAt([endpoint(VIP, 80)], 'the daemon sees the VIP as destination')],
};
