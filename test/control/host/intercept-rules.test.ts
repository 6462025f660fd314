/** What the director intercepts on devices that the host shares, for each kind of service and setting. */
import { describe, expect, it } from 'vitest';
import { type InterceptInput, inexactMarks, interceptRules } from '../../../src/control/host/intercept-rules.js';
import { parseMarkRule } from '../../../src/control/mark/rule.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { SCTP, TCP, UDP } from '../../../src/service/config.js';
import { service, tcp } from './services.js';

const VIP = '10.0.0.100';
const ACCEPT = { arp: false, icmp: true, ranges: [], forwardShared: [], sources: [], toa: true };
const NOTHING: InterceptInput = { services: [], marks: [], accept: ACCEPT, snat: [], ftp: [21], has: () => false };
/** The host has the VIP. */
const SHARED = { has: (address: string) => address === VIP };

/** The rules for packets and ARP; those for ICMP errors are in every set. */
function rules(input: Partial<InterceptInput>, atLeast = false): InterceptRule[] {
  const all = interceptRules({ ...NOTHING, ...input }, atLeast);
  expect(all.filter(({ kind }) => kind === 'icmpError')).toHaveLength(all.length === 0 ? 0 : 2);
  return all.filter(({ kind }) => kind !== 'icmpError');
}

const packet = (match: object) => ({ kind: 'packet', family: 4, ...match });

it('without services, ranges, sources and snat nothing is intercepted', () => {
  expect(rules({})).toEqual([]);
  expect(rules({ marks: [parseMarkRule('-d 10.9.0.0/16 -j MARK --set-mark 1')] })).toEqual([]);
});

describe('a service by address', () => {
  it('whose VIP is on no interface: everything to the VIP', () => {
    expect(rules({ services: [tcp(VIP, 80)] })).toEqual([packet({ daddr: VIP })]);
    expect(rules({ services: [tcp('2001:db8::1', 80)] })).toEqual([packet({ family: 6, daddr: '2001:db8::1' })]);
  });

  it('with accept.arp: ARP for the VIP too', () => {
    expect(rules({ services: [tcp(VIP, 80)], accept: { ...ACCEPT, arp: true } })).toEqual([
      packet({ daddr: VIP }),
      { kind: 'arp', target: VIP },
    ]);
  });

  it('whose VIP the host has: its protocol and port only', () => {
    expect(rules({ services: [tcp(VIP, 80)], ...SHARED })).toEqual([
      packet({ daddr: VIP, protocol: TCP, dport: [[80, 80]] }),
    ]);
  });

  it('of port 0 whose VIP the host has: all ports of its protocol', () => {
    const all = service({ protocol: UDP, address: VIP, port: 0 });
    expect(rules({ services: [all], ...SHARED })).toEqual([packet({ daddr: VIP, protocol: UDP })]);
  });

  it.each([
    [[], 21],
    [[2121], 2121],
  ])('of FTP whose VIP the host has: data ports too (helper ports %j, service port %d)', (ftp, port) => {
    const dport = [
      [port, port],
      [port - 1, port - 1],
      [1024, 65535],
    ];
    expect(rules({ services: [tcp(VIP, port)], ftp, ...SHARED })).toEqual([
      packet({ daddr: VIP, protocol: TCP, dport }),
    ]);
  });

  it('twice with the same VIP: one rule', () => {
    expect(rules({ services: [tcp(VIP, 80), tcp(VIP, 443)] })).toEqual([packet({ daddr: VIP })]);
  });

  it('with accept.forwardShared: packets from its VIP, if the host has it', () => {
    const accept = { ...ACCEPT, forwardShared: ['eth1'] };
    expect(rules({ services: [tcp(VIP, 80)], accept, ...SHARED })).toContainEqual(packet({ saddr: VIP }));
    expect(rules({ services: [tcp(VIP, 80)], accept })).toEqual([packet({ daddr: VIP })]);
  });
});

describe('replies', () => {
  it('of masq destinations only', () => {
    const all = tcp(VIP, 80, '10.1.0.1:8080 masq', '10.1.0.2:80 gatewaying', '10.1.0.3:80 ipip', '10.1.0.4:80 local');
    expect(rules({ services: [all] }).slice(1)).toEqual([
      packet({ saddr: '10.1.0.1', protocol: TCP, sport: [[8080, 8080]] }),
    ]);
  });

  it('from any port for FTP and for destinations of port 0', () => {
    expect(rules({ services: [tcp(VIP, 21, '10.1.0.1:21 masq')] }).slice(1)).toEqual([
      packet({ saddr: '10.1.0.1', protocol: TCP }),
    ]);
    expect(rules({ services: [tcp(VIP, 0, '10.1.0.1:0 masq')] }).slice(1)).toEqual([
      packet({ saddr: '10.1.0.1', protocol: TCP }),
    ]);
  });

  it('of every protocol with ports for fwmark services', () => {
    const marked = service({ fwmark: 1, family: 4 }, '10.1.0.1:0 masq', '[2001:db8::5]:80 masq');
    const protocols = [TCP, UDP, SCTP];
    expect(rules({ services: [marked] })).toEqual([
      ...protocols.map((protocol) => packet({ saddr: '10.1.0.1', protocol })),
      ...protocols.map((protocol) => packet({ family: 6, saddr: '2001:db8::5', protocol })),
    ]);
  });
});

describe('mark rules', () => {
  const marked = [service({ fwmark: 1, family: 4 })];
  const mark = (text: string) => parseMarkRule(`iptables ${text}`);

  it('that set the mark of a service', () => {
    const marks = [
      mark('-d 10.9.0.0/16 -p tcp --dport 80 -j MARK --set-mark 1'),
      mark('-d 10.8.0.0/16 -j MARK --set-mark 2'),
    ];
    expect(rules({ services: marked, marks })).toEqual([
      packet({ daddr: '10.9.0.0/16', protocol: TCP, dport: [[80, 80]] }),
    ]);
  });

  it('that change some bits of a mark, since the result may be that of a service', () => {
    const marks = [mark('-d 10.9.0.0/16 -j MARK --or-mark 1')];
    expect(rules({ services: marked, marks })).toEqual([packet({ daddr: '10.9.0.0/16' })]);
  });

  it('count for nothing without a fwmark service', () => {
    const marks = [mark('-d 10.9.0.0/16 -j MARK --set-mark 1')];
    expect(rules({ services: [tcp(VIP, 80)], marks })).toEqual([packet({ daddr: VIP })]);
  });

  it('without an exact rule: left out, or for XDP with more packets', () => {
    const marks = [mark('-d 10.9.0.0/16 -p tcp --syn -j MARK --set-mark 1')];
    expect(rules({ services: marked, marks })).toEqual([]);
    expect(rules({ services: marked, marks }, true)).toEqual([packet({ daddr: '10.9.0.0/16', protocol: TCP })]);
    expect(inexactMarks(marks)).toEqual(marks);
    expect(inexactMarks([mark('-d 10.9.0.0/16 -j MARK --set-mark 1')])).toEqual([]);
  });
});

describe('settings without a service', () => {
  it('ranges: everything to them', () => {
    expect(rules({ accept: { ...ACCEPT, arp: true, ranges: ['10.9.0.0/16'] } })).toEqual([
      packet({ daddr: '10.9.0.0/16' }),
      { kind: 'arp', target: '10.9.0.0/16' },
    ]);
  });

  it('sources of full NAT: everything to them, and ARP even without accept.arp', () => {
    expect(rules({ accept: { ...ACCEPT, sources: ['10.1.0.240'] } })).toEqual([
      packet({ daddr: '10.1.0.240' }),
      { kind: 'arp', target: '10.1.0.240' },
    ]);
  });

  it('snat: what realservers send with ports, and the answers', () => {
    const protocols = [TCP, UDP, SCTP];
    const snat = [{ from: '192.168.1.0/24', to: VIP, dev: 'eth0' }];
    const sent = protocols.map((protocol) => packet({ saddr: '192.168.1.0/24', protocol }));
    expect(rules({ snat })).toEqual([...sent, packet({ daddr: VIP }), { kind: 'arp', target: VIP }]);
    const answers = protocols.map((protocol) => packet({ daddr: VIP, protocol, dport: [[1024, 65535]] }));
    expect(rules({ snat, ...SHARED })).toEqual([...sent, ...answers]);
  });
});
