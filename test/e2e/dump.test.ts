/** `ulvs dump`: a director that starts from it has the table of the one that was dumped. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { Testbed } from './testbed.js';

if (!isRoot) console.log('dump: skipped, needs root for namespaces');

describe.skipIf(!isRoot)('ulvs dump', () => {
  let testbed: Testbed;
  beforeAll(() => {
    testbed = new Testbed('dump');
  });
  afterAll(() => testbed.remove());

  const ulvs = (...words: string[]) => testbed.ulvs(words).ended;
  const asked = (...words: string[]) => ulvs(...words, '--socket', testbed.socket);

  it('is a file that starts the same director', { timeout: 120_000 }, async () => {
    const rules = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m';
    const first = await testbed.up('-c', testbed.config('first.yaml', { rules, more: 'state: none' }));
    await testbed.ulvsadm('-e -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 7');
    await testbed.ulvsadm('-a -t 10.1.0.100:80 -r 10.2.0.12:8080 -i -w 0 -x 20 -y 10');
    await testbed.ulvsadm('-A -u 10.1.0.101:53 -s sh -p 60');
    await testbed.ulvsadm('--set 600 60 30');
    await asked('sysctl', 'expire_nodest_conn=1');
    const { out: saved } = await testbed.ulvsadm('-Sn');
    const { out: limits } = await testbed.ulvsadm('-Ln --thresholds');
    const { out: now } = await asked('dump');
    expect((await asked('diff', '-c', testbed.file('now.yaml', now))).code).toBe(0);
    const dump = await asked('dump', '--replay');
    expect([dump.code, dump.err]).toEqual([0, '']);
    first.kill('SIGTERM');
    await first.ended;

    const file = testbed.file('second.yaml', dump.out);
    expect((await ulvs('check', file)).out).toBe(`${file}: correct: 3 devices, 2 services, 2 real servers\n`);
    const second = await testbed.up('-c', file);
    expect((await testbed.ulvsadm('-Sn')).out).toBe(saved);
    expect((await testbed.ulvsadm('-Ln --thresholds')).out).toBe(limits);
    expect((await testbed.ulvsadm('-Ln --timeout')).out).toBe('Timeout (tcp tcpfin udp): 600 60 30\n');
    expect((await asked('sysctl', 'expire_nodest_conn')).out).toBe('expire_nodest_conn = 1\n');
    expect((await asked('dump', '--replay')).out).toBe(dump.out);
    second.kill('SIGTERM');
    await second.ended;
  });

  it('says in one line when no director is there', { timeout: 60_000 }, async () => {
    const { code, out, err } = await asked('dump');
    expect([code, out, err.split('\n').length]).toEqual([1, '', 2]);
  });
});
