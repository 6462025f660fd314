/** Reads ulvsadm's listings back. */
import { expect, it } from 'vitest';
import { readConnections, readStats } from '../../../src/lab/watch/listing.js';

it('reads -Ln --stats --exact', () => {
  const text = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  10.0.0.100:80                     300     1800     1500   120000   180000
  -> 192.168.1.11:8080                 100      600      500    40000    60000
  -> 192.168.1.12:8080                 200     1200     1000    80000   120000
FWM  1                                   0        0        0        0        0
  -> 192.168.1.13:0                      0        0        0        0        0
`;
  expect(readStats(text)).toMatchObject([
    { service: 'TCP 10.0.0.100:80', destination: '192.168.1.11:8080', conns: 100, inpkts: 600, outpkts: 500 },
    { service: 'TCP 10.0.0.100:80', destination: '192.168.1.12:8080', conns: 200, inbytes: 80000, outbytes: 120000 },
    { service: 'FWM 1', destination: '192.168.1.13:0', conns: 0 },
  ]);
});

it('reads -Lnc', () => {
  const text = `IPVS connection entries
pro expire state       source             virtual            destination
TCP 01:58  TIME_WAIT   10.0.0.1:40000     10.0.0.100:80      192.168.1.11:8080
UDP 04:59  UDP         10.0.0.1:40001     10.0.0.100:7       192.168.1.12:7007
`;
  expect(readConnections(text)).toEqual([
    {
      protocol: 'TCP',
      state: 'TIME_WAIT',
      source: '10.0.0.1:40000',
      virtual: '10.0.0.100:80',
      destination: '192.168.1.11:8080',
    },
    {
      protocol: 'UDP',
      state: 'UDP',
      source: '10.0.0.1:40001',
      virtual: '10.0.0.100:7',
      destination: '192.168.1.12:7007',
    },
  ]);
});

it('reads an empty table', () => {
  expect(readStats('IP Virtual Server version 1.2.1 (size=4096)\n')).toEqual([]);
  expect(readConnections('IPVS connection entries\n')).toEqual([]);
});
