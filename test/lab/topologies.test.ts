import { describe, expect, it } from 'vitest';
import { findTopology, topologies } from '../../src/lab/topologies/index.js';
import { addressOf, balanced, bare, hostOf, realservers, servicesOf } from '../../src/lab/topology.js';

describe('the index', () => {
  it('has the four labs of the demo first, and no name twice', () => {
    const names = topologies.map(({ name }) => name);
    expect(names.slice(0, 4)).toEqual(['nat', 'dr', 'tun', 'fwmark']);
    expect(new Set(names).size).toBe(names.length);
  });

  it('names what there is when asked for another', () => {
    expect(() => findTopology('vpn')).toThrow(
      /^no lab is named "vpn"; there are nat, dr, tun, fwmark, nat-two-networks, /,
    );
  });
});

/** Whose chapter puts the VIP on the director itself, or has it on a server that exists. */
const WITH_VIP = ['localnode', 'dr-forward-shared', 'forward-hook'];

describe.each(topologies.map((topology) => [topology.name, topology] as const))('%s', (name, topology) => {
  const ports = topology.hosts.flatMap((host) => host.ports);
  const director = hostOf(topology, 'director');

  it('has a client, a director and realservers', () => {
    expect(realservers(topology).length).toBeGreaterThan(0);
    expect(hostOf(topology, 'client').name).toBe('client');
    expect(director.name).toBe('director');
  });

  it('gives no MAC and no address twice, and no name that is too long for a device', () => {
    const addresses = ports.flatMap(({ address, also = [] }) => [address, ...also].filter(Boolean).map(bare));
    for (const all of [ports.map(({ mac }) => mac), addresses]) expect(new Set(all).size).toBe(all.length);
    for (const host of topology.hosts)
      for (const { dev } of host.ports) expect(`${host.name}-${dev}`.length).toBeLessThan(16);
  });

  it('plugs at least two hosts into each segment', () => {
    for (const { segment } of ports)
      expect(ports.filter((port) => port.segment === segment).length, segment).toBeGreaterThan(1);
  });

  it('routes by gateways that are on the segment the route leaves by', () => {
    // Where the director bridges, its segments are one wire.
    if (director.devices !== undefined) return expect(name).toBe('dr-bridge');
    for (const host of topology.hosts)
      for (const { via, dev } of (host.routes ?? []).filter((route) => route.via !== undefined)) {
        const segment = host.ports.find((port) => port.dev === dev)?.segment;
        const gateway = ports.find((port) => [port.address, ...(port.also ?? [])].some((one) => bare(one) === via));
        expect(gateway === undefined || gateway.segment === segment, `${host.name} via ${via}`).toBe(true);
      }
  });

  it('has the director serve every server, by TCP and by UDP', () => {
    for (const { rip } of balanced(topology))
      expect(
        topology.rules.filter((rule) => rule.includes(`-r ${rip}:`) || rule.includes(`-r [${rip}]:`)).length,
      ).toBeGreaterThan(0);
    expect(servicesOf(topology).some(({ tcp }) => tcp)).toBe(true);
    expect(servicesOf(topology).some(({ udp }) => udp)).toBe(true);
  });

  it('has the VIP on an interface of director, router or client only where its chapter has', () => {
    const others = topology.hosts.filter(({ role }) => role !== 'realserver');
    const taken = others.flatMap((host) => [
      ...host.ports.flatMap((port) => [port.address, ...(port.also ?? [])]),
      host.extra?.address ?? '',
    ]);
    expect(taken.map(bare).some((address) => topology.vips.includes(address))).toBe(WITH_VIP.includes(name));
  });

  it('draws hosts and addresses, in plain ASCII of a terminal width', () => {
    for (const word of ['client', 'director', ...realservers(topology).map((host) => host.name), addressOf(director)])
      expect(topology.drawing).toContain(word);
    for (const line of topology.drawing.split('\n')) expect(line).toMatch(/^[ -~]{0,79}$/);
  });
});

describe('what the HOWTO asks', () => {
  it('NAT realservers have the director as default gateway', () => {
    for (const name of ['nat', 'fwmark']) {
      const topology = findTopology(name);
      const dips = hostOf(topology, 'director').ports.map((port) => bare(port.address));
      for (const rs of realservers(topology)) expect(dips).toContain(rs.routes?.[0]?.via);
    }
  });

  it('DR realservers keep the VIP on lo and quiet in ARP', () => {
    for (const rs of realservers(findTopology('dr'))) {
      expect(rs.extra).toEqual({ dev: 'lo', address: '192.168.1.110/32' });
      expect(rs.sysctls).toMatchObject({ 'net.ipv4.conf.all.arp_ignore': 1, 'net.ipv4.conf.all.arp_announce': 2 });
    }
  });

  it('DR and Tun replies have a way that is not the director', () => {
    for (const name of ['dr', 'tun']) {
      const dip = addressOf(hostOf(findTopology(name), 'director'));
      for (const rs of realservers(findTopology(name))) expect(rs.routes?.map(({ via }) => via)).not.toContain(dip);
    }
  });

  it('the fwmark director is sent a range it has no address in', () => {
    const fwmark = findTopology('fwmark');
    expect(fwmark.vips.length).toBe(254);
    expect(hostOf(fwmark, 'router').routes).toContainEqual({ to: '10.9.0.0/24', via: '10.1.0.9', dev: 'eth1' });
  });
});

it('service names are those of ulvsadm', () => {
  expect(servicesOf(findTopology('nat'))).toEqual([
    { name: 'TCP 10.0.0.100:80', tcp: true, udp: false },
    { name: 'UDP 10.0.0.100:7', tcp: false, udp: true },
  ]);
  expect(servicesOf(findTopology('fwmark'))).toEqual([
    { name: 'FWM 1', tcp: true, udp: false },
    { name: 'FWM 2', tcp: false, udp: true },
  ]);
});
