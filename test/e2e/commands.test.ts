/** The commands that ask a running director over its control socket. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DirectorStatus } from '../../src/control/api/api.js';
import { SYSCTL_NAMES } from '../../src/service/sysctl.js';
import { isRoot } from '../support/netns.js';
import { type Ended, type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';

/** Every kind of service and destination, in the words in which -S prints them (thresholds it leaves out, as ipvsadm does). */
const RULES = `-A -t ${VIP}:80 -s wlc -p 50 -M 255.255.255.0
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 3
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 0
-A -t [2001:db8::1]:443 -s mh -b mh-port
-a -t [2001:db8::1]:443 -r [2001:db8::2]:443 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-A -u ${VIP}:53 -s rr -o
-a -u ${VIP}:53 -r 10.2.0.11:53 -g -w 1
-A -f 7 -s sh -b sh-fallback
-a -f 7 -r 10.2.0.12:0 -i -w 1 --tun-type ipip
`;

describe.skipIf(!isRoot)('over the control socket', () => {
  let testbed: Testbed;
  let program: Program;

  beforeAll(async () => {
    testbed = new Testbed('ask');
    await testbed.serve(
      testbed.servers,
      "require('http').createServer((q, a) => a.end('x')).listen(8080, () => console.log('ready'))",
    );
    program = await testbed.up('-c', testbed.config('ask.yaml'));
  });
  afterAll(() => testbed.remove());

  const ulvs = (...words: string[]): Promise<Ended> => testbed.ulvs([...words, '--socket', testbed.socket]).ended;

  it('-R accepts the output of -Sn, and -Sn prints it again', async () => {
    expect(await testbed.ulvsadm('-R', RULES)).toEqual({ code: 0, out: '', err: '' });
    const { out } = await testbed.ulvsadm('-Sn');
    expect(out.split('\n').sort()).toEqual(RULES.split('\n').sort());
    await testbed.ulvsadm('-C');
    expect((await testbed.ulvsadm('-Sn')).out).toBe('');
    expect((await testbed.ulvsadm('-R', out)).code).toBe(0);
    expect((await testbed.ulvsadm('-Sn')).out).toBe(out);
  });

  it('-R continues after a refused line; the last line sets the exit code', async () => {
    await testbed.ulvsadm('-C');
    const lines = `-A -t ${VIP}:1 -s rr\n-A -t ${VIP}:1 -s rr\n-a -t ${VIP}:2 -r 10.2.0.11 -g\n-A -t ${VIP}:3 -s rr\n`;
    expect(await testbed.ulvsadm('-R', lines)).toEqual({
      code: 0,
      out: '',
      err: 'Service already exists\nService not defined\n',
    });
    expect((await testbed.ulvsadm('-R', `${lines}-D -t ${VIP}:9\n`)).code).toBe(255);
    expect((await testbed.ulvsadm('-Sn')).out).toBe(`-A -t ${VIP}:1 -s rr\n-A -t ${VIP}:3 -s rr\n`);
  });

  it('sysctl lists all, shows and sets one', async () => {
    const all = await ulvs('sysctl');
    expect(
      all.out
        .trim()
        .split('\n')
        .map((line) => line.split(' = ')[0]),
    ).toEqual(SYSCTL_NAMES);
    expect((await ulvs('sysctl', 'net.ipv4.vs.conn_reuse_mode=0', 'sloppy_tcp=1')).out).toBe(
      'conn_reuse_mode = 0\nsloppy_tcp = 1\n',
    );
    expect((await ulvs('sysctl', 'sloppy_tcp', '--json')).out).toBe('{\n  "sloppy_tcp": 1\n}\n');
    await ulvs('sysctl', 'conn_reuse_mode=1', 'sloppy_tcp=0');
  });

  it('sysctl sets in the forms of sysctl(8), too', async () => {
    expect((await ulvs('sysctl', 'sloppy_tcp', '=', '1', 'conn_reuse_mode', '=0')).out).toBe(
      'sloppy_tcp = 1\nconn_reuse_mode = 0\n',
    );
    expect((await ulvs('sysctl', '-w', 'sloppy_tcp=0', 'conn_reuse_mode=', '1')).out).toBe(
      'sloppy_tcp = 0\nconn_reuse_mode = 1\n',
    );
  });

  it('sysctl says when a value has no effect', async () => {
    const why = 'replies are always routed by their new source';
    expect(await ulvs('sysctl', 'snat_reroute=0')).toEqual({
      code: 0,
      out: `snat_reroute = 0  # no effect: ${why}\n`,
      err: `ulvs: sysctl snat_reroute: the value is kept but has no effect: ${why}\n`,
    });
    await ulvs('sysctl', 'snat_reroute=1');
  });

  it.each([
    [['sloppy_tpc'], 'ulvs: sysctl sloppy_tpc: there is no such sysctl; did you mean sloppy_tcp?\n'],
    [['sloppy_tcp=yes'], 'ulvs: sysctl sloppy_tcp: "yes" is not a whole number\n'],
    [['sloppy_tcp=7'], 'ulvs: sloppy_tcp: 7 is not a whole number from 0 to 1\n'],
  ])('sysctl %j is refused', async (words, err) => {
    expect(await ulvs('sysctl', ...words)).toEqual({ code: 2, out: '', err });
  });

  it('stats and status show what became of the frames', async () => {
    await testbed.ulvsadm('-C');
    await testbed.ulvsadm('-R', `-A -t ${VIP}:80 -s rr\n-a -t ${VIP}:80 -r 10.2.0.11:8080 -m\n-A -t ${VIP}:81 -s rr`);
    const read = async () => JSON.parse((await ulvs('status', '--json')).out) as DirectorStatus;
    expect(testbed.try(testbed.client, `curl -s -m 3 http://${VIP}/`)).toBe('x');
    expect(testbed.try(testbed.client, `curl -s -m 3 http://${VIP}:81/; echo $?`)).toBe('7\n');
    expect(await until(async () => (await read()).devices[0]!.stats.rxPackets > 0)).toBe(true);
    const status = await read();
    expect(status).toMatchObject({ pid: program.child.pid, services: 2, destinations: 1, table: { used: 1 } });
    expect(status.drops).toEqual([expect.objectContaining({ name: 'noDestination', packets: 1 })]);
    const { in: all, forwarded, delivered, passed, dropped } = status.frames as Record<string, number>;
    expect(forwarded! + delivered! + passed! + dropped!).toBe(all);
    expect(forwarded).toBeGreaterThanOrEqual(10);
    const stats = (await ulvs('stats')).out;
    expect(stats).toMatch(/^noDestination +1 +\d+ {2}the service has no available destination/m);
    expect(stats).toMatch(/^eth2 +\d+/m);
    expect((await ulvs('status')).out).toMatch(/^director {4}ulvs \S+, pid \d+, up (\d+ min )?\d+ s, \d+ MB\n/);
  });

  it('proc prints what programs parse', async () => {
    const { out } = await ulvs('proc', 'ip_vs');
    expect(out.split('\n').slice(3)).toEqual([
      'TCP  0A010064:0051 rr  ',
      'TCP  0A010064:0050 rr  ',
      '  -> 0A02000B:1F90      Masq    1      0          1         ',
      '',
    ]);
    const connections = (await ulvs('proc', 'ip_vs_conn')).out;
    expect(connections).toMatch(/^TCP 0A010001 [0-9A-F]{4} 0A010064 0050 0A02000B 1F90 (TIME_WAIT|CLOSE) +\d+$/m);
    expect((await ulvs('proc', 'ip_vs_dest')).code).toBe(2);
  });

  it('commands without a director print one line that says what to do', async () => {
    const nowhere = `${testbed.folder}/none.sock`;
    for (const command of [['status'], ['stats'], ['sysctl'], ['proc', 'ip_vs']])
      expect(await testbed.ulvs([...command, '--socket', nowhere]).ended).toEqual({
        code: 1,
        out: '',
        err: `ulvs: no director is listening on ${nowhere} (start one with \`ulvs run -c director.yaml\`, or name its socket with --socket)\n`,
      });
  });
});
