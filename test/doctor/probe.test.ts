/**
 * The probes of realservers: which packets are planned, and the verdict on captured answers. The
 * capture itself is tested in test/e2e/doctor.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { parseMarkRule } from '../../src/control/mark/rule.js';
import { type DeviceKind, kindOf } from '../../src/device/kinds.js';
import type { Facts, HostFacts } from '../../src/doctor/facts.js';
import { type Plan, plansFor } from '../../src/doctor/probe/plan.js';
import type { CapturedPacket } from '../../src/doctor/probe/probe-capture.js';
import { plansToAsk } from '../../src/doctor/probe/return-path.js';
import { findingOf, resultOf } from '../../src/doctor/probe/verdict.js';
import { dr, nat, tun } from './made-facts.js';

const MAC = '02:00:00:00:0b:01';
const LINKS = [{ dev: 'eth0', mac: '02:00:00:00:0d:00', mtu: 1500, up: true, kind: 'veth' }];

/** The facts that a director's own machine can gather: those of the director alone. */
function box(facts: Facts): Facts {
  const hosts = facts.hosts.filter(({ role }) => role === 'director');
  return { ...facts, hosts: hosts.map((host) => ({ ...host, links: [...LINKS, { ...LINKS[0]!, dev: 'eth1' }] })) };
}

function planOf(facts: Facts): Plan {
  const [plan] = plansFor(box(facts)).plans;
  return { ...plan!, sport: 31_005 };
}

const line = (text: string, inwards = true, at = 1.5): CapturedPacket => ({ at, dev: 'eth0', inwards, mac: MAC, text });
const sent = line('IP 10.0.0.254.31005 > 10.0.0.11.80: Flags [S], seq 1', false, 1.4975);

describe('a plan', () => {
  it.each([
    ['for NAT: RIP and port', nat(), { address: '192.168.1.11', port: 8080 }, '192.168.1.254'],
    ['for DR: VIP, sent to the MAC of the RIP', dr(), { address: '10.0.0.100', port: 80 }, '10.0.0.254'],
    ['for Tun: VIP inside IPIP', tun(), { address: '10.0.0.100', port: 80 }, '10.0.0.254'],
  ])('%s', (_, facts, target, dip) => expect(planOf(facts)).toMatchObject({ target, dip }));

  it('for a fwmark service: an address and port that its mark rule matches', () => {
    const { services } = nat().director;
    const marked = { ...services[0]!, key: { fwmark: 1, family: 4 as const } };
    const marks = [parseMarkRule('-i eth0 -d 10.9.0.0/24 -p tcp --dport 80 -j MARK --set-mark 1')];
    const facts = {
      ...dr(),
      director: { ...dr().director, services: [{ ...dr().director.services[0]!, key: marked.key }], marks },
    };
    expect(planOf(facts).target).toEqual({ address: '10.9.0.1', port: 80 });
  });

  it('leaves out quiesced destinations', () => {
    const facts = dr();
    const [service] = facts.director.services;
    const destinations = [{ ...service!.destinations[0]!, weight: 0 }];
    const quiesced = { ...facts, director: { ...facts.director, services: [{ ...service!, destinations }] } };
    expect(plansFor(box(quiesced))).toMatchObject({
      plans: [],
      skipped: [{ verdict: 'not probed', detail: 'its weight is 0' }],
    });
  });
});

describe('the return path of a NAT realserver', () => {
  const TUN = { dev: 'ulvs0', mac: '', mtu: 1500, up: true, kind: 'tun' };
  const asked = (kind: DeviceKind, more: Partial<HostFacts> = {}, refusesStrays = false) => {
    const { shared, exclusive } = kindOf(kind);
    const devices = [{ name: 'eth1', kind, shared, exclusive, mac: MAC, mtu: 1500, addresses: [] }];
    const { hosts, ...facts } = box(nat({}, { devices, refusesStrays }));
    const [host] = hosts;
    const there = { ...facts, hosts: [{ ...host!, ...more, links: [...host!.links, TUN] }] };
    return plansToAsk(there, plansFor(there).plans);
  };
  const own = { addresses: [...nat().hosts[1]!.addresses, { dev: 'eth0', address: '10.0.0.100', length: 32 }] };
  const note =
    'not probed: whether replies of NAT realservers pass this machine (eth1 is xdp, so their answers are not seen here)';

  it.each([
    ['is probed on packet devices', asked('packet'), 1, []],
    ['is not probed on xdp devices, which intercept the answer', asked('xdp'), 0, [note]],
    ['is probed on xdp devices if the machine has the VIP', asked('xdp', own), 1, []],
    ['is not probed if the director refuses packets of no connection', asked('xdp', own, true), 0, [note]],
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
  const cases: [string, CapturedPacket[], string, string][] = [
    [
      'SYN-ACK',
      [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [S.], seq 7')],
      'reachable',
      'SYN-ACK after 2.5 ms',
    ],
    ['RST', [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [R.], seq 0')], 'refused', 'RST after 2.5 ms'],
    [
      "the doctor's own RST",
      [sent, line('10.0.0.254.31005 > 10.0.0.100.80: Flags [R]', false)],
      'filtered',
      'no answer; 10.0.0.11 does not answer ping either',
    ],
    [
      'an echo reply alone',
      [sent, line('10.0.0.11 > 10.0.0.254: ICMP echo reply, id 31005, seq 1')],
      'filtered',
      'no answer; 10.0.0.11 answers ping',
    ],
    [
      'ICMP port unreachable',
      [icmp('10.0.0.100 tcp port 80 unreachable')],
      'refused',
      'ICMP from 10.0.0.11: 10.0.0.100 tcp port 80 unreachable',
    ],
    [
      'ICMP protocol unreachable',
      [icmp('10.0.0.11 protocol 4 unreachable')],
      'no tunnel endpoint',
      'ICMP from 10.0.0.11: 10.0.0.11 protocol 4 unreachable',
    ],
    [
      'an answer to another port',
      [line('10.0.0.100.80 > 10.0.0.254.31006: Flags [S.], seq 7')],
      'filtered',
      'no answer; 10.0.0.11 does not answer ping either',
    ],
  ];
  it.each(cases)('on %s', (_, heard, verdict, detail) => {
    expect(resultOf(planOf(dr()), MAC, heard)).toMatchObject({ verdict, detail });
  });

  it('on a neighbour that does not answer ARP', () => {
    const found = resultOf(planOf(dr()), undefined, []);
    expect(found.verdict).toBe('no ARP answer');
    expect(findingOf(dr(), found)[0]).toMatchObject({ id: 'probe-no-arp-answer', host: '10.0.0.11' });
  });

  it('of a reachable realserver is no finding', () => {
    const fine = resultOf(planOf(dr()), MAC, [sent, line('10.0.0.100.80 > 10.0.0.254.31005: Flags [S.]')]);
    expect(findingOf(dr(), fine)).toEqual([]);
  });
});
