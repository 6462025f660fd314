/** Faults of LVS-DR (HOWTO chapter 7). */

import { endpoint } from '../../service/config.js';
import { type Lab, restartProgram } from '../build/lab.js';
import { directoryOf, SWITCH } from '../names.js';
import { addressOf, hostOf, realservers, usesIPv6 } from '../topology.js';
import { ulvsadm } from '../watch/listing.js';
import { type Fault, inside, shell } from './fault.js';

function first(lab: Lab): string {
  return addressOf(realservers(lab.spec)[0]!);
}

function vipOf({ spec }: Lab): string {
  return spec.vips[0]!;
}

/** Removes the VIP from a host's neighbour cache: it would keep the answer that it has. */
function flushNeighbour(lab: Lab, host: string): Promise<string> {
  return inside(lab, host, `ip neigh flush to ${vipOf(lab)}`);
}

async function answerArp(lab: Lab): Promise<void> {
  if (usesIPv6(lab.spec)) return advertiseVip(lab);
  await inside(lab, 'rs1', 'sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.eth0.arp_ignore=0');
  await flushNeighbour(lab, 'router');
}

/**
 * In IPv6 it suffices that the VIP is on an interface that receives solicitations. Of several
 * answers the last one wins. Here it is that of rs1, which announces itself when its interface
 * comes up.
 */
async function advertiseVip(lab: Lab): Promise<void> {
  const { mac } = realservers(lab.spec)[0]!.ports[0]!;
  await inside(lab, 'rs1', `ip address add ${vipOf(lab)}/128 dev eth0 nodad`);
  await inside(lab, 'rs1', 'sysctl -qw net.ipv6.conf.eth0.ndisc_notify=1');
  await inside(lab, 'rs1', `ip link set eth0 address ${mac}`);
}

async function addVipToSwitch(lab: Lab): Promise<void> {
  const { segment } = hostOf(lab.spec, 'director').ports[0]!;
  await inside(lab, SWITCH, `ip address add ${vipOf(lab)}/24 dev ${segment}`);
  await flushNeighbour(lab, 'router');
}

async function addVipToBackup(lab: Lab): Promise<void> {
  await inside(lab, 'backup', `ip address add ${vipOf(lab)}/32 dev eth0`);
  await flushNeighbour(lab, 'client');
}

export const drFaults: readonly Fault[] = [
  {
    name: 'vip-missing',
    title: 'the VIP is missing on a realserver',
    topology: 'dr',
    alsoIn: ['ipv6-dr'],
    expects: 'vip-missing',
    inject: (lab) => inside(lab, 'rs1', `ip address del ${vipOf(lab)}/${usesIPv6(lab.spec) ? 128 : 32} dev lo`),
  },
  {
    name: 'arp',
    title: 'a realserver answers ARP (or neighbour solicitations) for the VIP',
    topology: 'dr',
    alsoIn: ['ipv6-dr'],
    expects: 'realserver-answers-arp',
    inject: answerArp,
  },
  {
    name: 'vip-elsewhere',
    title: 'another host owns the VIP',
    topology: 'dr',
    expects: 'vip-owned-elsewhere',
    inject: addVipToSwitch,
  },
  {
    name: 'vip-on-backup',
    title: 'the backup director has the VIP on an interface',
    topology: 'proxy-arp-failover',
    expects: 'vip-on-backup',
    inject: addVipToBackup,
  },
  {
    name: 'rip-only',
    title: 'the service listens on the RIP only',
    topology: 'dr',
    alsoIn: ['ipv6-dr'],
    expects: 'listens-on-rip-only',
    inject: (lab) => restartProgram(lab, 'rs1', { addresses: [first(lab)] }),
  },
  {
    name: 'dr-port',
    title: "the realserver's port is not the VIP's",
    topology: 'dr',
    alsoIn: ['ipv6-dr'],
    expects: 'dr-port-differs',
    inject: (lab) => restartProgram(lab, 'rs1', { http: 8080 }),
  },
  {
    name: 'vip-gone',
    title: 'no interface has the VIP, and the director does not answer ARP for it',
    topology: 'dr',
    expects: 'vip-unanswered',
    inject: async (lab) => {
      const folder = directoryOf(lab.id);
      await shell(
        `sed -i 's/arp: true/arp: false/' ${folder}/director.yaml && ulvs reload --socket ${folder}/ulvs.sock`,
      );
      await inside(lab, 'router', `ip neigh flush to ${vipOf(lab)}`);
    },
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
    title: "the director is the DR realservers' gateway but does not forward",
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
