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
  });
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

  it('diff and apply: what another file would change, then the change, and the way back', async () => {
    const ulvs = (...words: string[]) => testbed.ulvs([...words, '--socket', testbed.socket]).ended;
    expect(await ulvs('diff')).toEqual({ code: 0, out: 'no difference\n', err: '' });
    const rules =
      '-A -t 10.1.0.100:80 -s wrr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 3\n-A -u 10.1.0.100:53 -s rr';
    const other = testbed.config('other.yaml', { rules, more: 'timeouts: { udp: 10 }' });
    const difference = [
      '~ timeouts.udp 300 -> 10',
      '+ -u 10.1.0.100:53 added: scheduler rr',
      '~ -t 10.1.0.100:80: scheduler rr -> wrr',
      '- 10.2.0.12:8080 of -t 10.1.0.100:80 deleted: weight was 1',
      '~ 10.2.0.11:8080 of -t 10.1.0.100:80: weight 1 -> 3',
    ];
    const lines = ({ out }: { out: string }) => out.trim().split('\n').sort();
    const before = (await testbed.ulvsadm('-Sn')).out;
    for (const words of [['diff'], ['apply', '--dry-run']]) {
      const ended = await ulvs(...words, '-c', other);
      expect({ code: ended.code, lines: lines(ended) }).toEqual({ code: 1, lines: [...difference].sort() });
      expect((await testbed.ulvsadm('-Sn')).out).toBe(before);
    }
    const applied = await ulvs('apply', '-c', other);
    expect({ code: applied.code, lines: lines(applied) }).toEqual({ code: 0, lines: [...difference].sort() });
    expect(applied.err).toMatch(/note: the next reload or restart reads .*director\.yaml again, not .*other\.yaml/);
    expect((await testbed.ulvsadm('-Sn')).out).toContain('-u 10.1.0.100:53 -s rr');
    await testbed.ulvsadm('-e -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 7');
    const json = JSON.parse((await ulvs('diff', '-c', other, '--json')).out);
    expect(json).toEqual({
      changes: [{ sign: '~', text: '10.2.0.11:8080 of -t 10.1.0.100:80: weight 7 -> 3' }],
      undone: ['10.2.0.11:8080 of -t 10.1.0.100:80 has weight 3 again, not 7'],
    });
    testbed.file('wrong.yaml', 'devices: [{ name: eth0 }]\nrulse: 1\n');
    const wrong = await ulvs('apply', '-c', `${testbed.folder}/wrong.yaml`);
    expect({ code: wrong.code, err: wrong.err }).toEqual({
      code: 2,
      err: expect.stringMatching(/wrong\.yaml:2: rulse: no such key/),
    });
    expect((await ulvs('diff', '-c', '/nowhere.yaml')).err).toContain('/nowhere.yaml: no such file');
    expect((await reload()).code).toBe(0);
    expect((await testbed.ulvsadm('-Sn')).out).toBe(before);
    expect((await testbed.ulvs(['diff', '--socket', '/nowhere']).ended).code).toBe(2);
  });

  it('names a mistake with its line, ends with 2 and changes nothing', async () => {
    testbed.config('director.yaml', { rules: '-A -t 10.1.0.100:80 -s nosuch' });
    const { code, err } = await reload();
    expect(code).toBe(2);
    expect(err).toMatch(/director\.yaml:\d+: /);
    expect((await testbed.ulvsadm('-Ln')).out).toContain('10.2.0.12:8080');
  });
});
