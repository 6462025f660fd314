/** The topologies: consistent as data, and as the HOWTO describes them. */
import { describe, expect, it } from 'vitest';
import { basics, findTopology, topologies } from '../../src/lab/topologies/index.js';
import { addressOf, balanced, hostOf, realservers, servicesOf, withoutPrefix } from '../../src/lab/topology.js';

describe('the index', () => {
  it('begins with the labs of the demo, and has no name twice', () => {
    const names = topologies.map(({ name }) => name);
    expect(names.slice(0, basics.length)).toEqual(basics.map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });

  it('is in the error for an unknown name', () => {
    expect(() => findTopology('vpn')).toThrow(
      /^no lab is named "vpn"; there are nat, dr, tun, fwmark, nat-two-networks, /,
    );
  });
});

it('each says what it teaches, in a line of `ulvs lab list` with at most 100 columns', () => {
  const texts = topologies.map(({ teaches }) => teaches);
  for (const text of texts) expect(text).toMatch(/^[ -~]{10,66}$/);
  expect(new Set(texts).size).toBe(texts.length);
});

describe.each(topologies.map((topology) => [topology.name, topology] as const))('%s', (name, topology) => {
  const ports = topology.hosts.flatMap((host) => host.ports);
  const director = hostOf(topology, 'director');

  it('has a client, a director and realservers', () => {
    expect(realservers(topology).length).toBeGreaterThan(0);
    expect(hostOf(topology, 'client').name).toBe('client');
    expect(director.name).toBe('director');
  });

  it('has no MAC or address twice, and no name too long for a device', () => {
    const addresses = ports.flatMap(({ address, also = [] }) => [address, ...also].filter(Boolean).map(withoutPrefix));
    for (const all of [ports.map(({ mac }) => mac), addresses]) expect(new Set(all).size).toBe(all.length);
    for (const host of topology.hosts)
      for (const { dev } of host.ports) expect(`${host.name}-${dev}`.length).toBeLessThan(16);
  });

  it('has at least two hosts on each segment', () => {
    for (const { segment } of ports)
      expect(ports.filter((port) => port.segment === segment).length, segment).toBeGreaterThan(1);
  });

  it('has each gateway on the segment by which its route leaves', () => {
    // A director that is a bridge joins its segments to one wire.
    if (director.devices !== undefined) return expect(name).toBe('dr-bridge');
    for (const host of topology.hosts)
      for (const { via, dev } of (host.routes ?? []).filter((route) => route.via !== undefined)) {
        const segment = host.ports.find((port) => port.dev === dev)?.segment;
        const gateway = ports.find((port) =>
          [port.address, ...(port.also ?? [])].some((one) => withoutPrefix(one) === via),
        );
        expect(gateway === undefined || gateway.segment === segment, `${host.name} via ${via}`).toBe(true);
      }
  });

  it('has rules for every server, over TCP and UDP', () => {
    for (const { rip } of balanced(topology))
      expect(
        topology.rules.filter((rule) => rule.includes(`-r ${rip}:`) || rule.includes(`-r [${rip}]:`)).length,
      ).toBeGreaterThan(0);
    expect(servicesOf(topology).some(({ tcp }) => tcp)).toBe(true);
    expect(servicesOf(topology).some(({ udp }) => udp)).toBe(true);
  });

  it('has a VIP on another host than a realserver only if it says so', () => {
    const others = topology.hosts.filter(({ role }) => role !== 'realserver');
    const taken = others.flatMap((host) => [
      ...host.ports.flatMap((port) => [port.address, ...(port.also ?? [])]),
      host.vip?.address ?? '',
    ]);
    expect(taken.map(withoutPrefix).some((address) => topology.vips.includes(address))).toBe(
      topology.vipOnHost ?? false,
    );
  });

  it('has a drawing with hosts and addresses, in ASCII and 79 columns', () => {
    for (const word of ['client', 'director', ...realservers(topology).map((host) => host.name), addressOf(director)])
      expect(topology.drawing).toContain(word);
    for (const line of topology.drawing.split('\n')) expect(line).toMatch(/^[ -~]{0,79}$/);
  });
});

describe('as in the HOWTO', () => {
  it('NAT realservers have the director as default gateway', () => {
    for (const name of ['nat', 'fwmark']) {
      const topology = findTopology(name);
      const dips = hostOf(topology, 'director').ports.map((port) => withoutPrefix(port.address));
      for (const rs of realservers(topology)) expect(dips).toContain(rs.routes?.[0]?.via);
    }
  });

  it('DR realservers have the VIP on lo and do not answer ARP for it', () => {
    for (const rs of realservers(findTopology('dr'))) {
      expect(rs.vip).toEqual({ dev: 'lo', address: '192.168.1.110/32' });
      expect(rs.sysctls).toMatchObject({ 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 });
    }
  });

  it('DR and Tun replies do not have the director as gateway', () => {
    for (const name of ['dr', 'tun']) {
      const dip = addressOf(hostOf(findTopology(name), 'director'));
      for (const rs of realservers(findTopology(name))) expect(rs.routes?.map(({ via }) => via)).not.toContain(dip);
    }
  });

  it('the router of fwmark sends a range to a director without an address in it', () => {
    const fwmark = findTopology('fwmark');
    expect(fwmark.vips.length).toBe(254);
    expect(hostOf(fwmark, 'router').routes).toContainEqual({ to: '10.9.0.0/24', via: '10.1.0.9', dev: 'eth1' });
  });
});

it('services have the names that ulvsadm prints', () => {
  expect(servicesOf(findTopology('nat'))).toEqual([
    { name: 'TCP 10.0.0.100:80', tcp: true, udp: false },
    { name: 'UDP 10.0.0.100:7', tcp: false, udp: true },
  ]);
  expect(servicesOf(findTopology('fwmark'))).toEqual([
    { name: 'FWM 1', tcp: true, udp: false },
    { name: 'FWM 2', tcp: false, udp: true },
  ]);
});
