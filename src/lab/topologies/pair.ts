/**
 * Two directors, with keepalived on both, moving the VIPs by VRRP, and connection synchronisation
 * in both directions. The addresses are on the interfaces of the one that is master, so that its
 * host answers ARP for them. The director itself answers for nothing (docs/pair.md).
 */

import { failover } from '../checks/failover.js';
import type { Check } from '../checks/run.js';
import { client, director, FORWARDING, LOOSE, onRip, onVip, realserver, threeRealservers, withVip } from '../hosts.js';
import type { Host, Topology } from '../topology.js';

const drawing = (vip: string, below: string) => `
                        ________
                       |        |  CIP=10.0.0.1
                       | client |
                       |________|
                           |
         ------------------------------------- 10.0.0.0/24
              |                          |
         ____________              ____________
        |            |    VRRP    |            |
        |  director  |<---------->|   backup   |   ${vip}
        |____________|    sync    |____________|   on the eth0 of the master
         10.0.0.252                10.0.0.253
         192.168.1.252             192.168.1.253
              |                          |
         ------------------------------------- 192.168.1.0/24
${below}`;

const SYSCTLS = { ...FORWARDING, ...LOOSE };

/**
 * The host's stack never gets packets of the services, not even while the director's process is
 * gone: it would reset the connections, and forward replies of realservers as they are.
 */
function guard(vip: string, rport: number): string[] {
  return [
    'table inet guard {',
    `chain input { type filter hook input priority 0; ip daddr ${vip} tcp dport 80 drop; }`,
    `chain forward { type filter hook forward priority 0; tcp sport ${rport} drop; }`,
    '}',
  ];
}

/** The director and the backup, with ports on the segments front and back. */
function directors(nft: readonly string[]): Host[] {
  const backup: Host = {
    name: 'backup',
    role: 'backup',
    ports: [
      { dev: 'eth0', segment: 'front', mac: '02:00:00:00:0e:00', address: '10.0.0.253/24' },
      { dev: 'eth1', segment: 'back', mac: '02:00:00:00:0e:01', address: '192.168.1.253/24' },
    ],
    sysctls: SYSCTLS,
    nft,
  };
  return [
    director(
      [
        ['front', '10.0.0.252/24'],
        ['back', '192.168.1.252/24'],
      ],
      undefined,
      { sysctls: SYSCTLS, nft },
    ),
    backup,
  ];
}

/** Addresses by the instance of VRRP that moves them. */
interface Moved {
  readonly front: readonly string[];
  readonly back: readonly string[];
}

/**
 * keepalived.conf. The sync group moves all addresses together; the script fails when the director
 * does not answer.
 */
function keepalived(name: string, priority: number, moved: Moved): string {
  return `global_defs {
    router_id ${name}
    script_user root
    enable_script_security
    vrrp_version 3
}
vrrp_script director {
    script "@CHECK@"
    interval 1
    timeout 2
    fall 1
    rise 1
}
vrrp_sync_group pair {
    group {
        front
        back
    }
    track_script {
        director
    }
}
${instance('front', 'eth0', 51, priority, moved.front)}
${instance('back', 'eth1', 52, priority, moved.back)}
`;
}

function instance(name: string, dev: string, router: number, priority: number, addresses: readonly string[]): string {
  return `vrrp_instance ${name} {
    state BACKUP
    interface ${dev}
    virtual_router_id ${router}
    priority ${priority}
    advert_int 0.3
    preempt_delay 2
    virtual_ipaddress {
${addresses.map((address) => `        ${address} dev ${dev}`).join('\n')}
    }
}`;
}

/** Both directors send to the group and take from it. A message leaves after 100 ms at most. */
const SYNC = 'sync: { master: { interface: eth1, syncid: 1 }, backup: { interface: eth1, syncid: 1 }, delay: 100 }';

const shared = {
  config: [SYNC],
  arp: false,
  hostStack: true,
  checks: [failover],
} as const;

function pairOf(moved: Moved): Pick<Topology, 'keepalived'> {
  return { keepalived: { director: keepalived('director', 150, moved), backup: keepalived('backup', 100, moved) } };
}

const NAT_VIP = '10.0.0.100';
const GATEWAY = '192.168.1.254';
const behind = threeRealservers('back', GATEWAY);

export const pairNat: Topology<Check> = {
  name: 'pair-nat',
  summary: 'Two directors, keepalived and synchronisation: LVS-NAT connections survive the master',
  level: 'hard',
  teaches: 'keepalived and synchronisation: NAT survives the master',
  drawing: drawing(
    NAT_VIP,
    `              |              |              |
        rs1 192.168.1.11   rs2 .12        rs3 .13
        default gateway ${GATEWAY}, on the eth1 of the master
`,
  ),
  method: 'masq',
  hosts: [client(['front', '10.0.0.1/24']), ...directors(guard(NAT_VIP, 8080)), ...behind],
  ...onRip(NAT_VIP, behind, '-m', { http: 8080, echo: 7007 }),
  ...shared,
  ...pairOf({ front: [`${NAT_VIP}/32`], back: [`${GATEWAY}/24`] }),
};

const DR_VIP = '10.0.0.110';
const beside = [1, 2, 3].map((n) => realserver(n, [['front', `10.0.0.1${n}/24`]], undefined, withVip(DR_VIP)));

export const pairDr: Topology<Check> = {
  name: 'pair-dr',
  summary: 'Two directors, keepalived and synchronisation: LVS-DR connections survive the master',
  level: 'hard',
  teaches: 'keepalived and synchronisation: DR survives the master',
  drawing: drawing(
    DR_VIP,
    `
     rs1 10.0.0.11, rs2 .12, rs3 .13 on 10.0.0.0/24, with the VIP on lo
`,
  ),
  method: 'gatewaying',
  hosts: [client(['front', '10.0.0.1/24']), ...directors(guard(DR_VIP, 80)), ...beside],
  ...onVip(DR_VIP, beside, '-g'),
  ...shared,
  ...pairOf({ front: [`${DR_VIP}/32`], back: ['192.168.1.254/24'] }),
};
