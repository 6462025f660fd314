/**
 * The kernel as a contender: forwarding, DNAT by nft with and without connection tracking, and
 * IPVS, which not every kernel has (tools/oracle/guest boots one that has it). The kernel forwards
 * on the CPU that receives, which on a veth is the CPU of the sender. The flood needs 0.25 µs of
 * that CPU to make one frame.
 */

import { RIP, type Testbed, VIP } from '../../../src/lab/flood/testbed.js';
import { command, inNamespace } from '../../../src/sys/command.js';
import type { Contender } from './contender.js';

const DNAT = `table ip x {
  chain c { type nat hook prerouting priority dstnat
    ip daddr ${VIP} udp dport 80 dnat to ${RIP}:8080
    ip daddr ${VIP} tcp dport 80 dnat to ${RIP}:8080
  }
}`;

/** The map has two entries for two realservers. Here both are the same host. */
const NUMGEN = `table ip x {
  chain c { type filter hook prerouting priority raw
    ip daddr ${VIP} notrack ip daddr set numgen inc mod 2 map { 0 : ${RIP}, 1 : ${RIP} } counter
    ip daddr ${RIP} udp dport 80 udp dport set 8080
    ip daddr ${RIP} tcp dport 80 tcp dport set 8080
  }
}`;

const IPVS = ['-u', '-t'].map((protocol) => {
  const service = `${protocol} ${VIP}:80`;
  return `-A ${service} -s rr\n-a ${service} -r ${RIP}:8080 -m\n`;
});

export const forwarding: Contender = contender('kernel, forwarding', '');
export const forwardingOut: Contender = { ...contender('kernel, forwarding out', ''), replies: true };
export const dnat: Contender = contender('kernel, nft DNAT, conntrack', DNAT);
export const dnatOut: Contender = { ...contender('kernel, nft DNAT out, conntrack', DNAT), replies: true };
/** With receive packet steering (RPS), the second CPU forwards, as with the other contenders. */
export const steered: Contender = contender('kernel, nft DNAT, conntrack, RPS', DNAT, true);
export const numgen: Contender = contender('kernel, nft numgen, stateless', NUMGEN);

function contender(name: string, rules: string, steers = false): Contender {
  const start = async (testbed: Testbed) => {
    const inside = (...words: string[]) => inNamespace(testbed.namespace('director'), ...words);
    await inside('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    await inside('ip', 'route', 'add', `${VIP}/32`, 'via', RIP, 'dev', 'eth1');
    if (rules !== '') await inside('nft', rules);
    if (steers) await inside('sh', '-c', 'echo 2 > /sys/class/net/eth0/queues/rx-0/rps_cpus');
    return 0;
  };
  return { name, tap: false, start };
}

/** NAT of the kernel's IPVS. `out`: the flood is of replies. */
export function ipvs({ out = false } = {}): Contender {
  const start = async (testbed: Testbed) => {
    const inside = (...words: string[]) => inNamespace(testbed.namespace('director'), ...words);
    await inside('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    // IPVS sees packets for the host itself.
    await inside('ip', 'address', 'add', `${VIP}/32`, 'dev', 'eth0');
    await command('ip', ['netns', 'exec', testbed.namespace('director'), 'ipvsadm', '-R'], IPVS.join(''));
    return 0;
  };
  return { name: `kernel, IPVS nat${out ? ' out' : ''}`, tap: false, replies: out, start };
}
