/** ulvsadm's listings with numbers, in ipvsadm's columns. */
import { describe, expect, it } from 'vitest';
import type { AdminClient, AdminReply, ConnectionEntry, ServiceEntry, StatsEntry } from '../../src/control/api/api.js';
import { NO_STATS } from '../../src/control/rules/counters.js';
import { PLAIN_TUNNEL, SVC_PERSISTENT } from '../../src/service/config.js';
import { type Result, ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { recordedNames } from './director.js';

const run = (line: string, client: AdminClient): Promise<Result> =>
  ulvsadm(line.split(' '), () => '', client, { names: recordedNames });

const answering = (reply: AdminReply): AdminClient => ({ request: async () => reply });

const stats = (values: Partial<StatsEntry>): StatsEntry => ({ ...NO_STATS, ...values });

const service = (changes: Partial<ServiceEntry>): ServiceEntry => ({
  key: { protocol: 6, address: '207.175.44.110', port: 80 },
  scheduler: 'wlc',
  flags: SVC_PERSISTENT,
  timeout: 360,
  netmask: 0xffffffff,
  pe: '',
  stats: NO_STATS,
  destinations: [
    {
      address: '172.16.0.2',
      port: 80,
      method: 'masq',
      weight: 1,
      lastWeight: 1,
      upperThreshold: 100,
      lowerThreshold: 75,
      tunnel: PLAIN_TUNNEL,
      activeConns: 3,
      inactConns: 12,
      persistConns: 2,
      stats: NO_STATS,
    },
  ],
  ...changes,
});

const withStats = (own: Partial<StatsEntry>, server: Partial<StatsEntry>): AdminClient => {
  const entry = service({ stats: stats(own) });
  const destinations = entry.destinations.map((destination) => ({ ...destination, stats: stats(server) }));
  return answering({ ok: true, info: { size: 4096 }, services: [{ ...entry, destinations }] });
};

describe('listings have the columns of the reference (1.20)', () => {
  it('--stats abbreviates, --exact does not', async () => {
    const client = withStats(
      { conns: 23765872, inpkts: 3811234567, inbytes: 89991234567890, outbytes: 123456789012345 },
      { conns: 19, inpkts: 123456789, outpkts: 7, inbytes: 12345678901, outbytes: 99999999 },
    );
    expect((await run('-Ln --stats', client)).out).toBe(
      `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes
  -> RemoteAddress:Port
TCP  207.175.44.110:80            23765872    3811M        0   89991G     123T
  -> 172.16.0.2:80                      19  123456K        7   12345M 99999999
`,
    );
    expect((await run('-Ln --stats --exact', client)).out.split('\n').slice(3, 5)).toEqual([
      'TCP  207.175.44.110:80            23765872 3811234567        0 89991234567890 123456789012345',
      '  -> 172.16.0.2:80                      19 123456789        7 12345678901 99999999',
    ]);
  });

  it('--rate never abbreviates the first three rates of a destination', async () => {
    const client = withStats(
      { cps: 4, inpps: 123456789, inbps: 611290 },
      { cps: 4, inpps: 123456789, inbps: 123456789 },
    );
    expect((await run('-Ln --rate', client)).out.split('\n').slice(1)).toEqual([
      'Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS',
      '  -> RemoteAddress:Port',
      'TCP  207.175.44.110:80                   4  123456K        0   611290        0',
      '  -> 172.16.0.2:80                       4 123456789        0  123456K        0',
      '',
    ]);
  });

  it('--thresholds, --persistent-conn and plain show the connections', async () => {
    const client = withStats({}, {});
    const row = async (line: string): Promise<string | undefined> => (await run(line, client)).out.split('\n')[4];
    expect(await row('-Ln --thresholds')).toBe(
      '  -> 172.16.0.2:80                100        75         3          12        ',
    );
    expect(await row('-Ln --persistent-conn')).toBe(
      '  -> 172.16.0.2:80                1         2           3          12        ',
    );
    expect(await row('-Ln')).toBe('  -> 172.16.0.2:80                Masq    1      3          12        ');
  });
});

describe('-L -c', () => {
  const entry = (changes: Partial<ConnectionEntry>): ConnectionEntry => ({
    protocol: 6,
    family: 4,
    caddr: '10.0.0.2',
    cport: 40112,
    vaddr: '207.175.44.110',
    vport: 80,
    daddr: '172.16.0.2',
    dport: 80,
    state: 'ESTABLISHED',
    expires: 897,
    peName: '',
    peData: '',
    synced: false,
    ...changes,
  });
  const connections = [
    entry({}),
    entry({ protocol: 0, cport: 0, vaddr: '0.0.0.1', vport: 0, dport: 0, state: 'NONE', expires: 6005 }),
    entry({ protocol: 17, cport: 0, state: 'UDP', peName: 'sip', peData: '7@host' }),
    entry({ protocol: 132, family: 6, caddr: '2001:db8::9', vaddr: '2001:db8::110', daddr: '172.16.0.2' }),
  ];
  const client = answering({ ok: true, connections });

  it('has ipvsadm’s columns', async () => {
    expect((await run('-Lnc', client)).out).toBe(
      `IPVS connection entries
pro expire state       source             virtual            destination
TCP 14:57  ESTABLISHED 10.0.0.2:40112     207.175.44.110:80  172.16.0.2:80
IP  100:05 NONE        10.0.0.2:0         0.0.0.1:0          172.16.0.2:0
UDP 14:57  UDP         10.0.0.2:0         207.175.44.110:80  172.16.0.2:80
SCTP 14:57  ESTABLISHED [2001:db8::9]:40112 [2001:db8::110]:80 172.16.0.2:80
`,
    );
  });

  it('shows engines with --persistent-conn, and names without -n', async () => {
    const rows = (await run('-L -c --persistent-conn', client)).out.split('\n');
    expect(rows[1]).toBe(
      'pro expire state       source             virtual            destination        pe name          pe_data',
    );
    expect(rows[2]).toBe('TCP 14:57  ESTABLISHED 10.0.0.2:40112     207.175.44.110:http 172.16.0.2:http');
    expect(rows[4]).toBe(
      'UDP 14:57  UDP         10.0.0.2:0         207.175.44.110:80  172.16.0.2:80    sip                7@host',
    );
  });
});
