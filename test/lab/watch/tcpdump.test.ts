/** Parses tcpdump's output. */
import { expect, it } from 'vitest';
import { readTcpdump } from '../../../src/lab/watch/tcpdump.js';

const MACS = '02:00:00:00:0d:01 > 02:00:00:00:0b:01, ethertype IPv4 (0x0800), length';

it('reads TCP', () => {
  const text = `1795232953.599555 ${MACS} 74: (tos 0x0, ttl 63, id 62147, offset 0, flags [DF], proto TCP (6), length 60)
    10.0.0.1.33446 > 192.168.1.11.8080: Flags [S], cksum 0x175a (correct), seq 736175763, win 64240, options [mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7], length 0
`;
  expect(readTcpdump(text)).toMatchObject([
    {
      time: 1795232953.599555,
      sourceMac: '02:00:00:00:0d:01',
      destinationMac: '02:00:00:00:0b:01',
      source: '10.0.0.1:33446',
      destination: '192.168.1.11:8080',
      ttl: 63,
      protocol: 'TCP',
      flags: 'S',
      length: 0,
      badChecksum: false,
    },
  ]);
  expect(readTcpdump(text)[0]).not.toHaveProperty('outer');
});

it('reads the packet inside IPIP, and the outer header', () => {
  const text = `1.5 ${MACS} 94: (tos 0x0, ttl 62, id 1, offset 0, flags [DF], proto IPIP (4), length 80)
    192.168.1.9 > 172.16.1.11: (tos 0x0, ttl 61, id 7, offset 0, flags [DF], proto TCP (6), length 60)
    10.0.0.1.40000 > 192.168.1.110.80: Flags [P.], cksum 0x1234 (correct), seq 1:5, ack 1, win 502, length 4: HTTP
`;
  expect(readTcpdump(text)).toMatchObject([
    {
      outer: { source: '192.168.1.9', destination: '172.16.1.11' },
      source: '10.0.0.1:40000',
      destination: '192.168.1.110:80',
      ttl: 61,
      protocol: 'TCP',
      flags: 'P.',
      length: 4,
    },
  ]);
});

it('reads UDP', () => {
  const text = `2.0 ${MACS} 60: (tos 0x0, ttl 64, id 2, offset 0, flags [none], proto UDP (17), length 32)
    10.0.0.1.5000 > 10.0.0.100.7: [udp sum ok] UDP, length 4
`;
  expect(readTcpdump(text)).toMatchObject([
    { source: '10.0.0.1:5000', protocol: 'UDP', flags: '', length: 4, badChecksum: false },
  ]);
});

it.each([
  ['TCP', 'Flags [S], cksum 0xcbe2 (incorrect -> 0x175a), seq 1, length 0'],
  ['UDP', '[bad udp cksum 0x1463 -> 0x2222!] UDP, length 4'],
])('sees a wrong %s checksum', (_, words) => {
  const text = `2.0 ${MACS} 60: (tos 0x0, ttl 64, id 2, offset 0, flags [none], proto TCP (6), length 32)
    10.0.0.1.5000 > 10.0.0.100.7: ${words}
`;
  expect(readTcpdump(text)).toMatchObject([{ badChecksum: true }]);
});

it('sees a wrong IPv4 header checksum', () => {
  const text = `2.0 ${MACS} 60: (tos 0x0, ttl 64, id 2, offset 0, flags [none], proto UDP (17), length 32, bad cksum 1 (->66cd)!)
    10.0.0.1.5000 > 10.0.0.100.7: [udp sum ok] UDP, length 4
`;
  expect(readTcpdump(text)).toMatchObject([{ badChecksum: true }]);
});

it('leaves out ARP and messages of tcpdump', () => {
  const arp = '2.0 02:00:00:00:0d:01 > ff:ff:ff:ff:ff:ff, ethertype ARP (0x0806), length 42: Request who-has 10.0.0.1';
  expect(readTcpdump(`reading from file x.pcap\n${arp}\n\n`)).toEqual([]);
});
