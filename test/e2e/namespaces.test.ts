/**
 * `ulvs run` without arguments: an empty director, as `modprobe ip_vs` gives. Each network namespace
 * has a table and a default control socket of its own. Needs root.
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { DIST, type Program, Testbed } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

describe.skipIf(!isRoot)('directors with default sockets', () => {
  let testbed: Testbed;
  let first: Program;
  const ulvsadm = (space: string, words: string) =>
    testbed.start(space, [process.execPath, `${DIST}/cli/ulvsadm.js`, ...words.split(' ')]).ended;

  beforeAll(async () => {
    mkdirSync('/run/ulvs', { recursive: true });
    testbed = new Testbed('empty');
    first = await testbed.up('--device', 'packet');
  });
  afterAll(() => testbed.remove());

  it('begin without services, on the interfaces that are up', async () => {
    expect((await ulvsadm(testbed.director, '-Sn')).out).toBe('');
    const status = testbed.ulvs(['status']);
    const { out } = await status.ended;
    expect(out).toContain('config      none\n');
    for (const name of ['eth0', 'eth1', 'eth2']) expect(out).toContain(`${name} (packet)`);
  });

  it('take rules, and keep them over a reload', async () => {
    expect((await ulvsadm(testbed.director, '-A -t 10.1.0.100:80 -s rr')).code).toBe(0);
    first.kill('SIGHUP');
    await first.says('configuration reloaded');
    expect((await ulvsadm(testbed.director, '-Sn')).out).toBe('-A -t 10.1.0.100:80 -s rr\n');
  });

  /** A director among the realservers. */
  const another = async () => {
    const second = testbed.start(testbed.servers, [
      process.execPath,
      `${DIST}/cli/main.js`,
      'run',
      '--device',
      'packet',
    ]);
    await second.says('director is up');
    return second;
  };

  it('have a table for each namespace', async () => {
    const second = await another();
    expect((await ulvsadm(testbed.servers, '-Sn')).out).toBe('');
    expect((await ulvsadm(testbed.servers, '-A -f 7 -s wlc')).code).toBe(0);
    expect((await ulvsadm(testbed.servers, '-Sn')).out).toBe('-A -f 7 -s wlc\n');
    expect((await ulvsadm(testbed.director, '-Sn')).out).toBe('-A -t 10.1.0.100:80 -s rr\n');
    second.kill('SIGTERM');
    expect((await second.ended).code).toBe(0);
  });

  it('do not answer for a namespace that has none', async () => {
    const { code, err } = await ulvsadm(testbed.client, '-Ln');
    expect(code).toBe(2);
    expect(err).toMatch(/no director .*\/run\/ulvs\/net-\d+\.sock/);
  });

  it('are not named once they were killed', async () => {
    const killed = await another();
    killed.kill('SIGKILL');
    await killed.ended;
    const socket = `/run/ulvs/net-${statSync(`/run/netns/${testbed.servers}`).ino}.sock`;
    expect(existsSync(socket)).toBe(true);
    const { err } = await ulvsadm(testbed.client, '-Ln');
    expect(err).toMatch(/; there (is|are) \/run\//);
    expect(err).not.toContain(socket);
  });
});
