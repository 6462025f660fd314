/** Faults of LVS-Tun, and of the path to the realservers. */
import { type Lab, stopProgram } from '../build/lab.js';
import { type Fault, firewall, inside } from './fault.js';

const FILTER = `table inet guard {
  chain through { type filter hook forward priority 0; icmp type destination-unreachable icmp code frag-needed drop; }
}`;

/** The client has learned the path MTU of the tunnel before and would keep it for ten minutes. */
async function dropFragNeeded(lab: Lab): Promise<void> {
  await firewall(lab, 'router', FILTER);
  await inside(lab, 'client', 'ip route flush cache');
}

export const tunFaults: readonly Fault[] = [
  {
    name: 'rp-filter',
    title: 'rp_filter on the tunnel device',
    topology: 'tun',
    expects: 'rp-filter',
    inject: (lab) => inside(lab, 'rs1', 'sysctl -qw net.ipv4.conf.tun0.rp_filter=1'),
  },
  {
    name: 'no-route',
    title: 'the director has no route to its realservers',
    topology: 'tun',
    expects: 'no-route-to-realserver',
    inject: (lab) => inside(lab, 'director', 'ip route del default'),
  },
  {
    name: 'tunnel-end',
    title: 'the tunnel endpoint of a realserver is missing',
    topology: 'tun',
    expects: 'tunnel-endpoint-missing',
    inject: (lab) => stopProgram(lab, 'rs1-decapsulator'),
  },
  {
    name: 'mtu',
    title: 'an MTU on the path is too small for the tunnel, with DF',
    topology: 'tun',
    expects: 'mtu-too-small',
    inject: (lab) => inside(lab, 'rs1', 'ip link set eth0 mtu 1400'),
  },
  {
    name: 'frag-needed',
    title: 'ICMP "fragmentation needed" is filtered',
    topology: 'tun',
    expects: 'frag-needed-filtered',
    inject: dropFragNeeded,
  },
];
