/** What the sockets of a testbed have dropped, from the texts of /proc/net. */
import { expect, it } from 'vitest';
import { rawDrops, udpDrops } from '../../src/lab/outage/socket-drops.js';

it('reads the drops of UDP and raw sockets', () => {
  const snmp = `Ip: Forwarding DefaultTTL
Ip: 1 64
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors
Udp: 900 1 8 700 7 0
UdpLite: InDatagrams RcvbufErrors
UdpLite: 0 5
`;
  const raw =
    '   4: 00000000:0004 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 21234 2 0000000000000000 12\n';
  expect(udpDrops(snmp)).toBe(7);
  expect(udpDrops('')).toBe(0);
  expect(rawDrops(snmp + raw + raw)).toBe(24);
});
