/**
 * A fleet of directors behind a router with ECMP. Each announces its VIPs by BGP from BIRD, with
 * BFD, and has its rules from etcd. The lab begins with one director; its own checks add two, kill
 * one and drain one. All tell each other their connections.
 *
 * Replies of NAT need the director that has the connection. A realserver notes by which one each
 * packet of a client came, and answers by the same one: `throughSender`.
 */
import { addKillDrain } from '../checks/fleet.js';
import type { Check } from '../checks/run.js';
import { directorBird, routerBird } from '../fleet/bird.js';
import {
  client,
  director,
  FORWARDING,
  LOOSE,
  NO_REDIRECTS,
  onVip,
  QUIET_ARP,
  realserver,
  ripsOf,
  router,
} from '../hosts.js';
import { addressOf, type Daemon, type Host, type Topology } from '../topology.js';

const drawing = `
                        ________
                       |        |
                       | client |  CIP=10.0.0.1
                       |________|
                           |
                        ___|____   BIRD: BGP and BFD with each director,
                       | router |  ECMP by address and port
                       |________|  192.168.1.254
                           |
    ----------------------------------------------------------
    |               |               |              |         |
 192.168.1.9  192.168.1.10  192.168.1.21     .11 .12 .13    .8
  __________   ___________   ___________     ___________    ______
 | director | | director2 | | director3 |   | rs1 rs2   |  | etcd |
 | BIRD     | | BIRD      | | BIRD      |   | rs3       |  |______|
 |__________| |___________| |___________|   |___________|
   10.9.0.1, DR, rr   10.9.0.2, DR, mh   10.9.0.3, full NAT, mh
   10.9.0.5, NAT, rr, with synchronisation
`;

/** The VIP of the checks of all labs, and those of the fleet's own checks. */
const VIP = '10.9.0.1';
const DR_VIP = '10.9.0.2';
const FULL_NAT_VIP = '10.9.0.3';
const NAT_VIP = '10.9.0.5';
const LAN = '192.168.1.0/24';
const ROUTER = '192.168.1.254';
const ETCD = '192.168.1.8';
/** Each director sends its connections to the others and takes theirs. */
const SYNC = 'sync: { master: { interface: eth0, syncid: 1 }, backup: { interface: eth0, syncid: 1 }, delay: 100 }';

function another(n: number, address: string): Host {
  const ports = [{ dev: 'eth0', segment: 'lan', mac: `02:00:00:00:0d:${n}0`, address: `${address}/24` }];
  const routes = [{ to: 'default', via: ROUTER, dev: 'eth0' }];
  return { name: `director${n}`, role: 'backup', ports, routes, sources: [`192.168.1.24${n}`], sysctls: NO_REDIRECTS };
}

const directors: readonly Host[] = [
  director([['lan', '192.168.1.9/24']], ROUTER, { sources: ['192.168.1.241'], sysctls: NO_REDIRECTS }),
  another(2, '192.168.1.10'),
  another(3, '192.168.1.21'),
];

/** Table of the default route by director number `i`, and the mark that leads there. */
function tableOf(i: number): number {
  return 101 + i;
}

/** A realserver answers clients of NAT by the director whose packet came last in the connection. */
function throughSender(rip: string): Pick<Host, 'nft' | 'ip'> {
  const clients = `ip saddr != ${LAN} ip daddr ${rip}`;
  return {
    nft: [
      'table inet back {',
      'chain in { type filter hook prerouting priority mangle;',
      ...directors.map(({ ports }, i) => `ether saddr ${ports[0]!.mac} ${clients} ct mark set ${tableOf(i)};`),
      '}',
      'chain out { type route hook output priority mangle; ct mark != 0 meta mark set ct mark; }',
      '}',
    ],
    ip: directors.flatMap((one, i) => [
      `rule add fwmark ${tableOf(i)} table ${tableOf(i)}`,
      `route add default via ${addressOf(one)} dev eth0 table ${tableOf(i)}`,
    ]),
  };
}

const rs = [11, 12, 13].map((last, i) => {
  const rip = `192.168.1.${last}`;
  const { nft, ip = [] } = throughSender(rip);
  return realserver(i + 1, [['lan', `${rip}/24`]], ROUTER, {
    sysctls: QUIET_ARP,
    vip: { dev: 'lo', address: `${VIP}/32` },
    nft: nft!,
    ip: [`address add ${DR_VIP}/32 dev lo`, ...ip],
  });
});

function bird(host: string, config: string): Daemon {
  const words = (folder: string) => ['-f', '-c', `${folder}/${host}-bird.conf`, '-s', `${folder}/${host}-bird.ctl`];
  const program = { command: 'bird', debianPackage: 'bird2', ready: /Started/ };
  return { name: `${host}-bird`, host, words, config, ...program };
}

const etcd: Daemon = {
  name: 'etcd',
  host: 'etcd',
  command: 'etcd',
  debianPackage: 'etcd-server',
  words: (folder) => {
    const urls = ['--listen-client-urls', '--advertise-client-urls'].flatMap((key) => [key, `http://${ETCD}:2379`]);
    return ['--data-dir', `${folder}/etcd`, '--listen-peer-urls', 'http://127.0.0.1:2380', ...urls];
  },
  ready: /serving insecure client requests/,
};

const service = (vip: string, how: string, scheduler = 'mh -b mh-port') => [
  `-A -t ${vip}:80 -s ${scheduler}`,
  ...ripsOf(rs).map((rip) => `-a -t ${vip}:80 -r ${rip}:80 ${how} -w 1`),
];
const base = onVip(VIP, rs, '-g');

export const fleet: Topology<Check> = {
  name: 'fleet',
  summary: 'Three directors behind a router with ECMP: BGP and BFD by BIRD, rules from etcd, mh',
  level: 'hard',
  teaches: 'many directors: ECMP, BGP and BFD, rules from etcd',
  drawing,
  method: 'gatewaying',
  hosts: [
    client(['front', '10.0.0.1/24'], '10.0.0.254'),
    router(
      1,
      [
        ['front', '10.0.0.254/24'],
        ['lan', `${ROUTER}/24`],
      ],
      {
        sysctls: { ...FORWARDING, ...LOOSE, ...NO_REDIRECTS, 'net.ipv4.fib_multipath_hash_policy': 1 },
      },
    ),
    ...directors,
    ...rs,
    {
      name: 'etcd',
      role: 'router',
      ports: [{ dev: 'eth0', segment: 'lan', mac: '02:00:00:00:e0:00', address: `${ETCD}/24` }],
    },
  ],
  ...base,
  listeners: (host) => ({ ...base.listeners(host), addresses: [...base.listeners(host).addresses, DR_VIP] }),
  rules: [
    ...base.rules,
    ...service(DR_VIP, '-g'),
    ...service(FULL_NAT_VIP, '--full-nat'),
    ...service(NAT_VIP, '-m', 'rr'),
  ],
  config: [SYNC],
  arp: false,
  hostStack: true,
  fleet: { endpoint: `http://${ETCD}:2379`, host: 'etcd' },
  daemons: [
    etcd,
    bird('router', routerBird({ id: ROUTER, device: 'eth1', directors: '192.168.1.0/24', vips: '10.9.0.0/16' })),
    ...directors.map(({ name, ports }) =>
      bird(name, directorBird({ id: ports[0]!.address.split('/')[0]!, device: 'eth0', router: ROUTER })),
    ),
  ],
  checks: [addKillDrain({ dr: DR_VIP, fullNat: FULL_NAT_VIP, nat: NAT_VIP })],
};
