/**
 * Failover of many VIPs (HOWTO 24.1): the director answers ARP for a range that no interface has.
 * It stops; the backup is started in its place and announces the addresses at its MAC by gratuitous
 * ARP.
 */
import type { Check } from '../checks/run.js';
import { takeover } from '../checks/takeover.js';
import { client, director, onRange, QUIET_ARP, threeRealservers } from '../hosts.js';
import type { Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |  CIP=192.168.1.254
                       | client |  192.168.1.96..111 at MAC ?
                       |________|
                           |
             __________    |    __________
            |          |   |   |          |
            | director |---|---|  backup  |  DIP=192.168.1.10
            |__________|   |   |__________|
        DIP=192.168.1.9    |
                           |   both: 192.168.1.96/28 by mark,
                           |   on no interface; one runs at a time
        ------------------------------------
        |                  |               |
   RIP=192.168.1.11     RIP=.12         RIP=.13     (eth0)
    _____________     _____________   _____________
   |     rs1     |   |     rs2     | |     rs3     |
   |_____________|   |_____________| |_____________|
       ip route add local 192.168.1.96/28 dev lo
`;

const RANGE = '192.168.1.96/28';
const VIPS = [97, 98, 103, 110].map((n) => `192.168.1.${n}`);
const rs = threeRealservers('lan', undefined, {
  ip: [`route add local ${RANGE} dev lo`],
  sysctls: QUIET_ARP,
});
const BACKUP_MAC = '02:00:00:00:0e:00';

export const proxyArpFailover: Topology<Check> = {
  name: 'proxy-arp-failover',
  summary: 'Failover of a range of VIPs: the second director takes them by gratuitous ARP (24.1)',
  level: 'medium',
  teaches: 'failover by gratuitous ARP',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['lan', '192.168.1.254/24']),
    director([['lan', '192.168.1.9/24']]),
    {
      name: 'backup',
      role: 'backup',
      ports: [{ dev: 'eth0', segment: 'lan', mac: BACKUP_MAC, address: '192.168.1.10/24' }],
    },
    ...rs,
  ],
  ...onRange(RANGE, VIPS, rs),
  checks: [takeover],
  watches: [
    {
      name: 'gratuitous ARP of the second director',
      host: 'backup',
      dev: 'eth0',
      filter: `arp and ether src ${BACKUP_MAC} and ether broadcast and arp[14:4] == arp[24:4]`,
      expect: 'some',
    },
    {
      name: 'the second director then gets the packets',
      host: 'backup',
      dev: 'eth0',
      filter: `ether dst ${BACKUP_MAC} and tcp dst port 80`,
      expect: 'some',
    },
  ],
};
