/**
 * director.yaml of a trial of `ulvs lab flood`:
 *
 *     -t VIP:80, -u VIP:UDP_PORT, -f 1, -t VIP6:80 ─► the realserver, by NAT
 */
import { kindOf } from '../../device/kinds.js';
import type { LabDevice } from '../topology.js';
import { type Defence, MARKED, UDP_PORT, VIP6 } from './attacks.js';
import { REALSERVER_MAC, RIP, type Testbed, VIP } from './testbed.js';

export const TCP_PORT = 8080;
export const CLIENT = '10.0.0.1';
/** The director's address in the network of the realserver that the service of VIP6 has. */
const SERVERS6 = 'fd00:1::254/64';

/** The default of the sysctl tcp_max_syn_backlog. */
const BACKLOG = 4096;

interface DirectorSize {
  readonly device: LabDevice;
  /** Lines of the connection table. */
  readonly lines: number;
}

export function trialConfig(bed: Testbed, defence: Defence, { device, lines }: DirectorSize): string {
  const { dstMac } = bed.endpoints.target;
  const { shared } = kindOf(device);
  // A device that the host does not share finds all realservers by its own addresses.
  const far = ['10.0.0.254/24', `192.168.1.254/24${shared ? '' : `, ${SERVERS6}`}`];
  const devices = far.map(
    (addresses, i) =>
      `  - { name: eth${i}, kind: ${device}, mac: "${i === 0 ? dstMac : '02:00:00:00:0d:01'}", addresses: [${addresses}] }`,
  );
  const own = [
    `neighbours: [{ ip: ${RIP}, dev: eth1, mac: "${REALSERVER_MAC}" }]`,
    `routes: [{ to: default, via: ${CLIENT}, dev: eth0 }]`,
  ];
  const proxy = `serviceOptions: [{ service: "-t ${VIP}:80", synproxy: ${defence.synproxy} }]`;
  return [
    `socket: ${bed.socket}`,
    'devices:',
    ...devices,
    ...(shared ? [] : own),
    `connections: { max: ${lines} }`,
    `accept: { arp: true, ranges: [${MARKED}] }`,
    `sysctl: ${JSON.stringify(sysctlOf(defence, lines))}`,
    `marks: ["-d ${MARKED} -j MARK --set-mark 1"]`,
    ...(defence.synproxy === undefined ? [] : [proxy]),
    'rules: |',
    ...rulesOf().map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** `synproxy: auto` has to begin before the table is full. */
function sysctlOf({ sysctl, synproxy }: Defence, lines: number): Defence['sysctl'] {
  return synproxy === undefined ? sysctl : { ...sysctl, tcp_max_syn_backlog: Math.min(BACKLOG, lines >> 3) };
}

function rulesOf(): string[] {
  const services = [`-t ${VIP}:80`, `-u ${VIP}:${UDP_PORT}`, '-f 1'];
  const servers = [`${RIP}:${TCP_PORT}`, `${RIP}:${UDP_PORT}`, `${RIP}:${TCP_PORT}`];
  const six = [`-A -t [${VIP6}]:80 -s rr`, `-a -t [${VIP6}]:80 -r [fd00:1::11]:80 -m`];
  const four = services.flatMap((service, i) => [`-A ${service} -s rr`, `-a ${service} -r ${servers[i]} -m`]);
  return [...four, ...six];
}
