/** The director.yaml of a lab. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { kindsWith } from '../../../src/device/kinds.js';
import { directorYaml } from '../../../src/lab/build/config.js';
import { findTopology, topologies } from '../../../src/lab/topologies/index.js';

describe('director.yaml of a lab', () => {
  it('has addresses and routes for TAP devices', () => {
    expect(directorYaml(findTopology('fwmark'), 'tap', 'fwmark-0001')).toMatchInlineSnapshot(`
      "# Lab fwmark: VIP-less director: a /24 of virtual addresses by firewall mark, none of them on an interface
      socket: /run/ulvs-lab/fwmark-0001/ulvs.sock
      state: none
      devices:
        - { name: eth0, kind: tap, mac: "02:00:00:00:0d:00", addresses: [10.1.0.9/24], mtu: 1500 }
        - { name: eth1, kind: tap, mac: "02:00:00:00:0d:01", addresses: [192.168.1.254/24], mtu: 1500 }
      routes:
        - { to: 0.0.0.0/0, via: 10.1.0.254, dev: eth0 }
      marks:
        - "-i eth0 -d 10.9.0.0/24 -p tcp --dport 80 -j MARK --set-mark 1"
        - "-i eth0 -d 10.9.0.0/24 -p udp --dport 7 -j MARK --set-mark 2"
      accept: { arp: true, ranges: [10.9.0.0/24] }
      rules: |
        -A -f 1 -s rr
        -a -f 1 -r 192.168.1.11:0 -m -w 1
        -a -f 1 -r 192.168.1.12:0 -m -w 1
        -a -f 1 -r 192.168.1.13:0 -m -w 1
        -A -f 2 -s rr
        -a -f 2 -r 192.168.1.11:0 -m -w 1
        -a -f 2 -r 192.168.1.12:0 -m -w 1
        -a -f 2 -r 192.168.1.13:0 -m -w 1
      "
    `);
  });

  it('has no routes for packet devices, which use those of the kernel', () => {
    expect(directorYaml(findTopology('fwmark'), 'packet', 'fwmark-0001')).not.toContain('routes:');
  });

  it.each(
    topologies.flatMap(({ name, hostStack }) =>
      kindsWith(({ shared }) => shared || !hostStack).map((device) => [name, device] as const),
    ),
  )('is a valid configuration: %s, %s', (name, device) => {
    const topology = findTopology(name);
    const config = parseConfig(directorYaml(topology, device, 'x-1'), 'director.yaml');
    expect(config.devices.map(({ kind }) => kind)).toEqual(config.devices.map(() => device));
    // The rules of a fleet are in etcd.
    const rules = topology.fleet === undefined ? topology.rules : [];
    expect(config.ruleLines.map(({ text }) => text.trim()).filter(Boolean)).toEqual(rules);
    expect(config.rules?.etcd.endpoints).toEqual(topology.fleet && [topology.fleet.endpoint]);
  });
});
