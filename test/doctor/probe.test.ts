/** What the box makes of what it hears; the hearing itself is in test/e2e/doctor.test.ts. */
import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../src/control/mark/rule.js';
import { type DeviceKind, kindOf } from '../../src/device/kinds.js';
import type { HostFacts, Site } from '../../src/doctor/facts.js';
import type { Heard } from '../../src/doctor/probe/heard.js';
import { type Plan, plansFor } from '../../src/doctor/probe/plan.js';
import { toAsk } from '../../src/doctor/probe/returns.js';
import { findingOf, outcome } from '../../src/doctor/probe/verdict.js';
import { dr, nat, tun } from './sites.js';

const MAC = '02:00:00:00:0b:01';
const LINKS = [{ dev: 'eth0', mac: '02:00:00:00:0d:00', mtu: 1500, up: true, kind: 'veth' }];

/** The director alone, as a box has it. */
function box(site: Site): Site {
  const hosts = site.hosts.filter(({ role }) => role === 'director');
  return { ...site, hosts: hosts.map((host) => ({ ...host, links: [...LINKS, { ...LINKS[0]!, dev: 'eth1' }] })) };
}

function planOf(site: Site): Plan {
  const [plan] = plansFor(box(site)).plans;
  return { ...plan!, own: 31_005 };
}

const line = (text: string, inwards = true, at = 1.5): Heard => ({ at, dev: 'eth0', inwards, mac: MAC, text });
const sent = line('IP 10.0.0.254.31005 > 10.0.0.11.80: Flags [S], seq 1', false, 1.4975);

describe('what is asked', () => {
  it.each([
    ['NAT: RIP and port', nat(), { address: '192.168.1.11', port: 8080 }, '192.168.1.254'],
    ['DR: VIP at the MAC of the RIP', dr(), { address: '10.0.0.100', port: 80 }, '10.0.0.254'],
    ['Tun: the same inside', tun(), { address: '10.0.0.100', port: 80 }, '10.0.0.254'],
  ])('%s', (_, site, aim, dip) => expect(planOf(site)).toMatchObject({ aim, dip }));

  it('a mark by what its rule would match', () => {
    const { services } = nat().director;
    const marked = { ...services[0]!, key: { fwmark: 1, family: 4 as const } };
    const marks = [parseMarkRule('-i eth0 -d 10.9.0.0/24 -p tcp --dport 80 -j MARK --set-mark 1')];
    const site = {
      ...dr(),
      director: { ...dr().director, services: [{ ...dr().director.services[0]!, key: marked.key }], marks },
    };
    expect(planOf(site).aim).toEqual({ address: '10.9.0.1', port: 80 });
  });

  it('not what is quiesced, not the box itself', () => {
    const site = dr();
    const [service] = site.director.services;
    const destinations = [{ ...service!.destinations[0]!, weight: 0 }];
    const quiesced = { ...site, director: { ...site.director, services: [{ ...service!, destinations }] } };
    expect(plansFor(box(quiesced))).toMatchObject({
      plans: [],
      left: [{ verdict: 'not asked', detail: 'its weight is 0' }],
    });
  });
});

describe('whether a NAT realserver answers through this host', () => {
  const TUN = { dev: 'ulvs0', mac: '', mtu: 1500, up: true, kind: 'tun' };
  const asked = (kind: DeviceKind, more: Partial<HostFacts> = {}, refusesStrays = false) => {
    const { shared, exclusive } = kindOf(kind);
    const devices = [{ name: 'eth1', kind, shared, exclusive, mac: MAC, mtu: 1500, addresses: [] }];
    const { hosts, ...site } = box(nat({}, { devices, refusesStrays }));
    const [host] = hosts;
    const there = { ...site, hosts: [{ ...host!, ...more, links: [...host!.links, TUN] }] };
    return toAsk(there, plansFor(there).plans);
  };
  const own = { addresses: [...nat().hosts[1]!.addresses, { dev: 'eth0', address: '10.0.0.100', length: 32 }] };
  const note =
    'not asked: whether NAT realservers answer through this host (their answers would not be seen here: eth1 is xdp)';

  it.each([
    ['packet', asked('packet'), 1, []],
    ['xdp takes the answer for itself', asked('xdp'), 0, [note]],
    ['xdp gives back what is for an address of the host', asked('xdp', own), 1, []],
    ['unless it refuses it', asked('xdp', own, true), 0, [note]],
  ])('%s', (_, { plans, notes }, count, said) => {
    expect(plans).toHaveLength(count);
    expect(notes).toEqual(said);
  });
});

describe('a verdict', () => {
  const icmp = (words: string) =>
    line(
      `(tos 0xc0, proto ICMP (1), length 88) 10.0.0.11 > 10.0.0.254: ICMP ${words}, length 68 (tos 0x0) 10.0.0.254.31005 > 10.0.0.11.80: [|tcp]`,
    );
  const cases: [string, Heard[], string, string][] = [
    [
      'SYN-ACK',
      [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [S.], seq 7')],
      'reachable',
      'SYN-ACK after 2.5 ms',
    ],
    ['RST', [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [R.], seq 0')], 'refused', 'RST after 2.5 ms'],
    [
      'our own RST',
      [sent, line('10.0.0.254.31005 > 10.0.0.100.80: Flags [R]', false)],
      'filtered',
      'no answer; 10.0.0.11 does not answer ping either',
    ],
    [
      'ping alone',
      [sent, line('10.0.0.11 > 10.0.0.254: ICMP echo reply, id 31005, seq 1')],
      'filtered',
      'no answer; 10.0.0.11 answers ping',
    ],
    [
      'no such port',
      [icmp('10.0.0.100 tcp port 80 unreachable')],
      'refused',
      'ICMP from 10.0.0.11: 10.0.0.100 tcp port 80 unreachable',
    ],
    [
      'no such protocol',
      [icmp('10.0.0.11 protocol 4 unreachable')],
      'no tunnel endpoint',
      'ICMP from 10.0.0.11: 10.0.0.11 protocol 4 unreachable',
    ],
    [
      "somebody else's",
      [line('10.0.0.100.80 > 10.0.0.254.31006: Flags [S.], seq 7')],
      'filtered',
      'no answer; 10.0.0.11 does not answer ping either',
    ],
  ];
  it.each(cases)('%s', (_, heard, verdict, detail) => {
    expect(outcome(planOf(dr()), MAC, heard)).toMatchObject({ verdict, detail });
  });

  it('nobody there', () => {
    const found = outcome(planOf(dr()), undefined, []);
    expect(found.verdict).toBe('no ARP answer');
    expect(findingOf(dr(), found)[0]).toMatchObject({ id: 'probe-no-arp-answer', host: '10.0.0.11' });
  });

  it('is no finding when all is well', () => {
    const fine = outcome(planOf(dr()), MAC, [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [S.]')]);
    expect(findingOf(dr(), fine)).toEqual([]);
  });
});
