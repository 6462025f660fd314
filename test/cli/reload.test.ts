/** `ulvs reload`, the lines of the log about it, and the audit of changes, with a live director. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Program, Testbed } from '../e2e/testbed.js';
import { isRoot } from '../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

describe.skipIf(!isRoot)('ulvs reload', { timeout: 60_000 }, () => {
  const RULES = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m';
  let testbed: Testbed;
  let program: Program;
  beforeAll(async () => {
    testbed = new Testbed('reload');
    program = await testbed.up('-c', testbed.config('director.yaml', { rules: RULES }));
  }, 60_000);
  afterAll(() => testbed.remove());

  const reload = () => testbed.ulvs(['reload', '--socket', testbed.socket]).ended;

  it('says what changed and what it undid, and so does the log', async () => {
    await testbed.ulvsadm('-e -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 0');
    expect(program.err).toMatch(
      /"uid":0,"pid":\d+,"command":"[^"]*ulvsadm[^"]*","msg":"10.2.0.11:8080 of -t 10.1.0.100:80: weight 1 -> 0"/,
    );
    await testbed.ulvs(['sysctl', 'expire_nodest_conn=1', '--socket', testbed.socket]).ended;
    testbed.config('director.yaml', { rules: `${RULES}\n-a -t 10.1.0.100:80 -r 10.2.0.12:8080 -m` });
    const { code, out } = await reload();
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toEqual([
      'changed: sysctl.expire_nodest_conn 1 -> 0',
      'changed: 10.2.0.11:8080 of -t 10.1.0.100:80: weight 0 -> 1',
      'changed: 10.2.0.12:8080 of -t 10.1.0.100:80 added: masq, weight 1',
      'undone: 10.2.0.11:8080 of -t 10.1.0.100:80 has weight 1 again, not 0',
    ]);
    expect(program.err).toContain('changed by the reload: sysctl.expire_nodest_conn 1 -> 0');
    expect((await reload()).out).toBe('nothing has changed\n');
  });

  it('names a mistake with its line, ends with 2 and changes nothing', async () => {
    testbed.config('director.yaml', { rules: '-A -t 10.1.0.100:80 -s nosuch' });
    const { code, err } = await reload();
    expect(code).toBe(2);
    expect(err).toMatch(/director\.yaml:\d+: /);
    expect((await testbed.ulvsadm('-Ln')).out).toContain('10.2.0.12:8080');
  });
});
