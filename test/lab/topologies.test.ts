import { describe, expect, it } from 'vitest';
import { findTopology, topologies } from '../../src/lab/topologies/index.js';
import { addressOf, bare, hostOf, realservers, serviceNames } from '../../src/lab/topology.js';

describe('the index', () => {
  it('has the four labs', () => {
    expect(topologies.map(({ name }) => name)).toEqual(['nat', 'dr', 'tun', 'fwmark']);
  });

  it('names what there is when asked for another', () => {
    expect(() => findTopology('vpn')).toThrowErrorMatchingInlineSnapshot(
      `[Error: no lab is named "vpn"; there are nat, dr, tun, fwmark]`,
    );
  });
});

describe.each(topologies.map((topology) => [topology.name, topology] as const))('%s', (_, topology) => {
  const ports = topology.hosts.flatMap((host) => host.ports);
  const director = hostOf(topology, 'director');

  it('has a client, a director and three realservers', () => {
    expect(realservers(topology).map(({ name }) => name)).toEqual(['rs1', 'rs2', 'rs3']);
    expect(hostOf(topology, 'client').name).toBe('client');
    expect(director.name).toBe('director');
  });

  it('gives no MAC and no address twice', () => {
    for (const all of [ports.map(({ mac }) => mac), ports.map(({ address }) => bare(address))])
      expect(new Set(all).size).toBe(all.length);
  });

  it('plugs at least two hosts into each segment', () => {
    for (const { segment } of ports)
      expect(ports.filter((port) => port.segment === segment).length, segment).toBeGreaterThan(1);
  });

  it('routes by gateways that are on the segment the route leaves by', () => {
    for (const host of topology.hosts)
      for (const { via, dev } of host.routes ?? []) {
        const segment = host.ports.find((port) => port.dev === dev)?.segment;
        const gateway = ports.find((port) => bare(port.address) === via);
        expect(gateway?.segment, `${host.name} via ${via}`).toBe(segment);
      }
  });

  it('has the director serve every realserver, twice', () => {
    for (const rs of realservers(topology))
      expect(topology.rules.filter((rule) => rule.includes(` -r ${addressOf(rs)}:`)).length).toBe(2);
  });

  it('has the VIP on no interface of director, router or client', () => {
    const others = topology.hosts.filter(({ role }) => role !== 'realserver');
    const taken = others.flatMap((host) => [
      ...host.ports.map((port) => bare(port.address)),
      host.extra?.address ?? '',
    ]);
    expect(taken.filter((address) => topology.vips.includes(bare(address)))).toEqual([]);
  });

  it('draws hosts and addresses, in plain ASCII of a terminal width', () => {
    for (const word of ['client', 'director', 'rs1', 'rs2', 'rs3', addressOf(director)])
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
  expect(serviceNames(findTopology('nat'))).toEqual({ http: 'TCP 10.0.0.100:80', echo: 'UDP 10.0.0.100:7' });
  expect(serviceNames(findTopology('fwmark'))).toEqual({ http: 'FWM 1', echo: 'FWM 2' });
});
