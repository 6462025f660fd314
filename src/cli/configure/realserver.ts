/** The shell script for the realservers of an lvs.conf: what the HOWTO has them set up, with today's commands. */
import type { LvsConf } from './lvsconf.js';

export function realserverScript(conf: LvsConf, source: string): string {
  return [
    '#!/bin/sh',
    `# For each realserver of ${source}, written by \`ulvs configure\`. Run as root; running it twice does no harm.`,
    'set -e',
    '',
    ...{ nat: nat, dr: dr, tun: tun }[conf.type](conf),
    '',
  ].join('\n');
}

function nat(conf: LvsConf): string[] {
  const gateway = conf.serverGateway ?? conf.dip?.address;
  if (gateway === undefined)
    return ['# LVS-NAT: no DIP and no SERVER_GW in the file: make the director the default gateway by hand.'];
  return [
    '# LVS-NAT: every packet to a client must go back through the director, or its source is not rewritten to the VIP',
    '# and the client answers it with a RST. This is the most common mistake.',
    `ip route replace default via ${gateway} dev ${conf.serverDevice}`,
    '',
    '# On a network shared with the clients the director would be passed by after an ICMP redirect.',
    'sysctl -w net.ipv4.conf.all.accept_redirects=0',
    `sysctl -w net.ipv4.conf.${conf.serverDevice}.accept_redirects=0`,
  ];
}

function dr(conf: LvsConf): string[] {
  return [
    '# LVS-DR: the packet comes with the VIP as its destination, so the VIP must be here; but nobody may hear of it by ARP.',
    'sysctl -w net.ipv4.conf.all.arp_ignore=1',
    'sysctl -w net.ipv4.conf.all.arp_announce=2',
    ...acceptVips(conf),
    ...gatewayOf(conf),
  ];
}

function tun(conf: LvsConf): string[] {
  return [
    '# LVS-Tun: packets come inside IPIP from the director; tunl0 takes them out, and the VIP on it takes them in.',
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
      '# SERVER_VIP_DEVICE=TP: no address here; packets for the VIP are redirected to this host (it then sees its own address).',
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
    return ['# Replies go to the client directly, not by the director: its router must be the default gateway here.'];
  return [
    '# Replies go to the client directly, not by the director.',
    `ip route replace default via ${serverGateway} dev ${serverDevice}`,
  ];
}
