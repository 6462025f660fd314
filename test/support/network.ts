/**
 * The network of the tests of packets, as keys of director.yaml:
 *
 *     client 10.0.0.1, 2001:db8::1 ── eth0 director eth1 ── 192.168.1.11, 192.168.1.12, 2001:db8:1::11
 */

/** The director's two devices. More of them can follow. */
export const DEVICES = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24, "2001:db8::254/64"] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24, "2001:db8:1::254/64"] }
`;

/** The client and the realservers. More neighbours can follow. */
export const NEIGHBOURS = `
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: "2001:db8::1", dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
  - { ip: 192.168.1.12, dev: eth1, mac: 02:00:00:00:a0:12 }
  - { ip: "2001:db8:1::11", dev: eth1, mac: 02:00:00:00:a0:11 }
`;

/** Devices and neighbours. More keys can follow. */
export const NETWORK = DEVICES + NEIGHBOURS;
