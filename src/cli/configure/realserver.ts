/**
 * Writes the shell script for the realservers of an lvs.conf: the HOWTO's setup with today's
 * commands.
 */
import type { LvsConf } from './lvsconf.js';

export function realserverScript(conf: LvsConf, source: string): string {
  return [
    '#!/bin/sh',
    `# For each realserver of ${source}, written by \`ulvs configure\`. Run it as root; it may run more than once.`,
    'set -e',
    '',
    ...{ nat: nat, dr: dr, tun: tun }[conf.type](conf),
    '',
  ].join('\n');
}

function nat(conf: LvsConf): string[] {
  const gateway = conf.serverGateway ?? conf.dip?.address;
  if (gateway === undefined)
    return ['# LVS-NAT: the file has neither DIP nor SERVER_GW: make the director the default gateway by hand.'];
  return [
    '# LVS-NAT: every reply must pass the director, which rewrites its source to the VIP. A client answers a reply',
    '# from the RIP with RST. This is the most common mistake.',
    `ip route replace default via ${gateway} dev ${conf.serverDevice}`,
    '',
    '# In one network with the clients, an ICMP redirect would make replies bypass the director.',
    'sysctl -w net.ipv4.conf.all.accept_redirects=0',
    `sysctl -w net.ipv4.conf.${conf.serverDevice}.accept_redirects=0`,
  ];
}

function dr(conf: LvsConf): string[] {
  return [
    '# LVS-DR: packets arrive with the VIP as destination, so this host needs the VIP but must not answer ARP for it.',
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    ...acceptVips(conf),
    ...gatewayOf(conf),
  ];
}

function tun(conf: LvsConf): string[] {
  return [
    '# LVS-Tun: packets arrive inside IPIP from the director; tunl0 decapsulates them and has the VIP.',
    'modprobe ipip',
    'ip link set tunl0 up',
    ...conf.vips.map(({ address }) => `ip addr replace ${address}/32 dev tunl0`),
    'sysctl -w net.ipv4.conf.tunl0.rp_filter=0',
    'sysctl -w net.ipv4.conf.all.rp_filter=0',
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    ...gatewayOf(conf),
  ];
}

function acceptVips(conf: LvsConf): string[] {
  if (conf.serverVipDevice === 'TP')
    return [
      '# SERVER_VIP_DEVICE=TP: this host has no VIP; packets for it are redirected to an address of this host.',
      ...conf.vips.flatMap(({ address }) =>
        conf.services.map(
          ({ protocol, port }) =>
            `iptables -t nat -A PREROUTING -d ${address} -p ${protocol === 't' ? 'tcp' : 'udp'} --dport ${port} -j REDIRECT`,
        ),
      ),
    ];
  return conf.vips.map(({ address }) => `ip addr replace ${address}/32 dev ${conf.serverVipDevice}`);
}

function gatewayOf({ serverGateway, serverDevice }: LvsConf): string[] {
  if (serverGateway === undefined)
    return ['# Replies go to the client directly, not through the director: the default gateway must be the router.'];
  return [
    '# Replies go to the client directly, not through the director.',
    `ip route replace default via ${serverGateway} dev ${serverDevice}`,
  ];
}
