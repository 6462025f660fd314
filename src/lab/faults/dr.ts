/** Faults of LVS-DR (HOWTO chapter 7). */

import { endpoint } from '../../service/config.js';
import { type Lab, restart } from '../build/lab.js';
import { SWITCH } from '../names.js';
import { addressOf, hostOf, isSix, realservers } from '../topology.js';
import { ulvsadm } from '../watch/listing.js';
import { type Fault, inside } from './fault.js';

function first(lab: Lab): string {
  return addressOf(realservers(lab.spec)[0]!);
}

function vipOf({ spec }: Lab): string {
  return spec.vips[0]!;
}

/** Whoever asked before keeps the answer it had. */
function forget(lab: Lab, host: string): Promise<string> {
  return inside(lab, host, `ip neigh flush to ${vipOf(lab)}`);
}

async function talkative(lab: Lab): Promise<void> {
  if (isSix(lab.spec)) return advertising(lab);
  await inside(lab, 'rs1', 'sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0');
  await forget(lab, 'router');
}

/**
 * In IPv6 it is enough that the VIP is on an interface that hears solicitations. Of several who answer the last wins; here
 * rs1 is, for its interface comes up and it says so.
 */
async function advertising(lab: Lab): Promise<void> {
  const { mac } = realservers(lab.spec)[0]!.ports[0]!;
  await inside(lab, 'rs1', `ip address add ${vipOf(lab)}/128 dev eth0 nodad`);
  await inside(lab, 'rs1', 'sysctl -qw net.ipv6.conf.eth0.ndisc_notify=1');
  await inside(lab, 'rs1', `ip link set eth0 address ${mac}`);
}

async function stranger(lab: Lab): Promise<void> {
  const { segment } = hostOf(lab.spec, 'director').ports[0]!;
  await inside(lab, SWITCH, `ip address add ${vipOf(lab)}/24 dev ${segment}`);
  await forget(lab, 'router');
}

async function onBackup(lab: Lab): Promise<void> {
  await inside(lab, 'backup', `ip address add ${vipOf(lab)}/32 dev eth0`);
  await forget(lab, 'client');
}

export const drFaults: readonly Fault[] = [
  {
    name: 'vip-missing',
    title: 'the VIP is missing on a realserver',
    topology: 'dr',
    also: ['ipv6-dr'],
    expects: 'vip-missing',
    inject: (lab) => inside(lab, 'rs1', `ip address del ${vipOf(lab)}/${isSix(lab.spec) ? 128 : 32} dev lo`),
  },
  {
    name: 'arp',
    title: 'a realserver answers ARP (or neighbour solicitations) for the VIP',
    topology: 'dr',
    also: ['ipv6-dr'],
    expects: 'realserver-answers-arp',
    inject: talkative,
  },
  {
    name: 'vip-elsewhere',
    title: 'another host owns the VIP',
    topology: 'dr',
    expects: 'vip-owned-elsewhere',
    inject: stranger,
  },
  {
    name: 'vip-on-backup',
    title: 'the VIP is on the backup director, too',
    topology: 'proxy-arp-failover',
    expects: 'vip-on-backup',
    inject: onBackup,
  },
  {
    name: 'rip-only',
    title: 'the service listens on the RIP only',
    topology: 'dr',
    also: ['ipv6-dr'],
    expects: 'listens-on-rip-only',
    inject: (lab) => restart(lab, 'rs1', { addresses: [first(lab)] }),
  },
  {
    name: 'dr-port',
    title: "the realserver's port is not the VIP's",
    topology: 'dr',
    also: ['ipv6-dr'],
    expects: 'dr-port-differs',
    inject: (lab) => restart(lab, 'rs1', { http: 8080 }),
  },
  {
    name: 'martian',
    title: "the director is the DR realservers' gateway, without forwardShared",
    topology: 'dr-director-gateway',
    expects: 'director-gateway-martian',
    inject: (lab) => inside(lab, 'director', `ip address add ${vipOf(lab)}/32 dev eth0`),
  },
  {
    name: 'forwarding',
    title: "the director is the DR realservers' gateway, and does not forward",
    topology: 'dr-director-gateway',
    expects: 'director-does-not-forward',
    inject: (lab) => inside(lab, 'director', 'sysctl -qw net.ipv4.ip_forward=0'),
  },
  {
    name: 'segment',
    title: "a DR realserver is not on the director's segment",
    topology: 'tun',
    expects: 'dr-not-on-segment',
    inject: (lab) =>
      ulvsadm(lab.id, '-e', '-t', endpoint(vipOf(lab), 80), '-r', endpoint(first(lab), 80), '-g', '-w', '1'),
  },
];
