/** The network of the differential tests of the fast path: two links, four destinations and services of every kind. */

import { parseConfig } from '../../../src/control/config/config.js';
import { InProcessDirector, type Outlet } from '../../../src/control/inprocess.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';

/** MAC addresses of the director's links. */
export const MACS = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;

export interface Network {
  /** More keys of director.yaml. */
  readonly config?: string;
  /** More rules, one a line. */
  readonly rules?: string;
  /** More addresses of eth0. */
  readonly addresses?: string;
}

/** The part of director.yaml that has the links and their neighbours. `addresses`: more of eth0. */
export const links = (addresses = '') => `devices:
  - { name: eth0, mac: ${MACS[0]}, addresses: [10.0.0.254/24, "2001:db8::fe/64"${addresses}], mtu: 1500 }
  - { name: eth1, mac: ${MACS[1]}, addresses: [192.168.1.254/24, "2001:db8:1::fe/64"], mtu: 600 }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 10.0.0.2, dev: eth0, mac: 02:00:00:00:c0:02 }
  - { ip: "2001:db8::1", dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: "2001:db8::2", dev: eth0, mac: 02:00:00:00:c0:02 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
  - { ip: "2001:db8:1::11", dev: eth1, mac: 02:00:00:00:a0:11 }`;

/** The director.yaml of a network. */
export const text = ({ config = '', rules = '', addresses = '' }: Network) => `
${config}
${links(addresses)}
routes: [ { to: 11.0.0.0/8, via: 10.0.0.1, dev: eth0 } ]
rules: |
  -A -t 10.0.0.100:80 -s rr
  -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m
  -a -t 10.0.0.100:80 -r 192.168.1.12:8080 -m
  -a -t 10.0.0.100:80 -r 192.168.1.13:8080 -m
  -A -u 10.0.0.100:53 -s rr
  -a -u 10.0.0.100:53 -r 192.168.1.11 -m
  -A -t 10.0.0.101:80 -s wlc
  -a -t 10.0.0.101:80 -r 192.168.1.11 -g
  -a -t 10.0.0.101:80 -r 192.168.1.12 -i
  -A -t 10.0.0.103:80 -s rr
  -a -t 10.0.0.103:80 -r 192.168.1.11 -g
  -a -t 10.0.0.103:80 -r 192.168.1.12 -g
  -A -u 10.0.0.101:53 -s rr -o
  -a -u 10.0.0.101:53 -r 192.168.1.12 -g
  -A -t 10.0.0.100:21 -s rr -p 60
  -a -t 10.0.0.100:21 -r 192.168.1.11 -m
  -A -f 7 -s rr
  -a -f 7 -r 192.168.1.12 -g
${rules.replace(/^/gm, '  ')}
`;

/** `outlet`: gets the frames that leave. */
export function directorOf(network: Network, outlet: Outlet = () => {}): Promise<InProcessDirector> {
  return directorFrom(text(network), outlet);
}

/** A director of this director.yaml, with its rules. */
export async function directorFrom(yaml: string, outlet: Outlet): Promise<InProcessDirector> {
  const inner = new InProcessDirector(parseConfig(yaml, 'test.yaml'), outlet);
  await loadRules(inner.config, inner);
  return inner;
}

export async function rule(inner: InProcessDirector, line: string): Promise<void> {
  await loadRules({ ...inner.config, ruleLines: [{ file: 'test', line: 1, text: line }] }, inner);
}
