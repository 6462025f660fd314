/**
 * LVS-DR with the director as a client of its own service (HOWTO 7.10). Its kernel routes the VIP
 * into the director's TUN device (ulvs0); 7.10 used a mark and a local route. The reply VIP->DIP
 * comes from the realserver, and is no martian because no interface has the VIP.
 */
import { requestsFrom } from '../checks/requests.js';
import type { Check } from '../checks/run.js';
import { client, director, LOOSE, onVip, threeRealservers, withVip } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=192.168.1.254
                       |________|
                           |
             __________    |
            |          |   |    VIP=192.168.1.110, no interface has it
            | director |---|    DIP=192.168.1.9
            |__________|   |    ip route add VIP dev ulvs0 src DIP
             curl VIP      |
              DIP->VIP  v  |  ^ VIP->DIP
        ------------------------------------
        |                  |               |
   RIP=192.168.1.11     RIP=.12         RIP=.13     (eth0)
    _____________     _____________   _____________
   |     rs1     |   |     rs2     | |     rs3     |  VIP on lo
   |_____________|   |_____________| |_____________|
`;

const VIP = '192.168.1.110';
const DIP = '192.168.1.9';
const rs = threeRealservers('lan', undefined, withVip(VIP));

export const drLocalClient: Topology<Check> = {
  name: 'dr-local-client',
  summary: 'LVS-DR, the director itself is a client: its kernel routes the VIP into ulvs (7.10)',
  level: 'medium',
  teaches: "requests of the director's own kernel",
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['lan', '192.168.1.254/24']),
    director([['lan', `${DIP}/24`]], undefined, {
      sysctls: LOOSE,
      afterStart: [`route add ${VIP}/32 dev ulvs0 src ${DIP}`],
    }),
    ...rs,
  ],
  ...onVip(VIP, rs, '-g'),
  hostStack: true,
  checks: [requestsFrom('director', DIP, 'the director itself is served')],
};
