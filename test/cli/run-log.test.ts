/**
 * Nothing that becomes of the log stops or blocks a director: a full disk, a reader that stands
 * still, a reader that is gone. A director that cannot go on ends with an exit code other than 0.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DIST, type Program, Testbed, until } from '../e2e/testbed.js';
import { isRoot } from '../support/netns.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

describe.skipIf(!isRoot)('a director whose log', { timeout: 60_000 }, () => {
  let testbed: Testbed;
  let config: string;
  let programs: Program[] = [];
  beforeAll(() => {
    testbed = new Testbed('log');
    config = testbed.config('director.yaml', { rules: '-A -t 10.1.0.100:80 -s rr' });
  });
  afterAll(() => testbed.remove());
  /** A test that failed leaves no director to the next one. */
  afterEach(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.map(({ ended }) => ended));
    programs = [];
  });

  const start = (line: string) => {
    const program = testbed.start(testbed.director, ['sh', '-c', line]);
    programs.push(program);
    return program;
  };

  /** Starts a director by a shell line in which $RUN is `ulvs run`; resolves when it answers. */
  async function started(line: string): Promise<Program> {
    const run = `${process.execPath} ${DIST}/cli/main.js run -c ${config}`;
    const program = start(line.replace('$RUN', run));
    expect(await until(async () => (await testbed.ulvsadm('-Ln')).code === 0)).toBe(true);
    return program;
  }

  const pid = async () =>
    JSON.parse((await testbed.ulvs(['status', '--json', '--socket', testbed.socket]).ended).out).pid;

  it('is on a full disk goes on, says what was lost, and ends with 0', async () => {
    const disk = mkdtempSync(path.join(testbed.folder, 'disk'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
    try {
      const program = await started(`exec $RUN 2>>${disk}/log`);
      execFileSync('sh', ['-c', `dd if=/dev/zero of=${disk}/fill bs=1k count=100 2>/dev/null || true`]);
      // The last page of the log has room for some lines: these are empty.
      execFileSync('sh', ['-c', `yes '' 2>/dev/null >>${disk}/log || true`]);
      const director = await pid();
      for (let i = 0; i < 60; i++) {
        process.kill(director, 'SIGHUP');
        await sleep(10);
      }
      expect((await testbed.ulvsadm('-Ln')).code).toBe(0);
      execFileSync('rm', [`${disk}/fill`]);
      const log = () => readFileSync(`${disk}/log`, 'utf8');
      expect(await until(() => /lines? of the log could not be written/.test(log()))).toBe(true);
      program.kill('SIGTERM');
      expect((await program.ended).code).toBe(0);
      for (const line of log().trim().split(/\n+/)) expect(line).toMatch(/^\{"level":"(info|warn|error)",/);
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });

  it('has a reader that stands still answers, reloads and stops', async () => {
    const fifo = path.join(mkdtempSync(path.join(testbed.folder, 'reader')), 'fifo');
    execFileSync('mkfifo', [fifo]);
    start(`exec sleep 60 <${fifo}`);
    const program = await started(`exec $RUN 2>${fifo}`);
    const director = await pid();
    for (let i = 0; i < 700; i++) process.kill(director, 'SIGHUP');
    for (let i = 0; i < 4; i++)
      expect((await testbed.ulvsadm(`-E -t 10.1.0.100:80 -s ${i % 2 ? 'rr' : 'wlc'}`)).code).toBe(0);
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });

  it('goes to /dev/full or to nobody works', async () => {
    for (const where of ['2>/dev/full', '2>&1 | true']) {
      const program = await started(`$RUN ${where}`);
      process.kill(await pid(), 'SIGTERM');
      expect((await program.ended).code).toBe(0);
    }
  });

  it('is full does not hide by its exit code that it could not start', async () => {
    const program = await started('exec $RUN');
    const run = `${process.execPath} ${DIST}/cli/main.js run -c ${config}`;
    const second = start(`exec ${run} 2>/dev/full`);
    expect((await second.ended).code).toBe(1);
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
});
