/**
 * kill -9 of the supervisor, the director and keepalived in turns. After each: nothing hangs, nothing
 * of the command is left, and a new start makes the table right. ULVS_RUNS: how many (1 unless told).
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../../support/netns.js';
import { type Program, until } from '../testbed.js';
import { ExecBed } from './bed.js';

if (!isRoot) console.log('exec: skipped, needs root for namespaces');

const RUNS = Number(process.env.ULVS_RUNS ?? 1);
const VICTIMS = ['supervisor', 'director', 'keepalived'] as const;
const CONFIG = [1, 2, 3]
  .map(
    (i) => `virtual_server 10.1.0.10${i} 80 {
 lb_algo rr
 lb_kind NAT
 protocol TCP
 real_server 10.2.0.11 8080 {
 }
 real_server 10.2.0.12 8080 {
 }
}`,
  )
  .join('\n');
const TABLE = [1, 2, 3]
  .map(
    (i) => `TCP  10.1.0.10${i}:80 rr
  -> 10.2.0.11:8080               Masq    1
  -> 10.2.0.12:8080               Masq    1`,
  )
  .join('\n');

describe.skipIf(!isRoot)('kill -9', () => {
  let bed: ExecBed;
  let director: Program;
  let config: string;
  beforeAll(async () => {
    bed = new ExecBed('xkill');
    config = bed.config('empty.yaml');
    director = await bed.up('-c', config);
  });
  afterAll(() => bed.remove());

  const start = (i: number) => {
    const pids = ['-p', '-c', '-r'].flatMap((option, j) => [option, `${bed.folder}/${i}-${j}.pid`]);
    return bed.exec(['keepalived', '-n', '-l', '-D', '-f', bed.file('keepalived.conf', CONFIG), ...pids]);
  };
  /** Processes of keepalived that are there, zombies apart: those wait for the init of this machine. */
  const left = (i: number) => {
    const lines = bed.try(bed.director, 'ps -eo stat=,args=').split('\n');
    return lines.filter((line) => line.includes(`${bed.folder}/${i}-0.pid`) && !line.startsWith('Z'));
  };

  it('leaves nothing behind and nothing wrong', async () => {
    const outcomes: string[] = [];
    for (let i = 0; i < RUNS; i++) {
      const victim = VICTIMS[i % VICTIMS.length]!;
      const running = start(i);
      await running.says('Startup complete'); // the table may be that of the round before
      expect(await bed.tableBecomes(TABLE)).toBe(TABLE);
      const begin = performance.now();
      if (victim === 'supervisor') running.kill('SIGKILL');
      if (victim === 'keepalived') bed.run(bed.director, `kill -9 $(cat ${bed.folder}/${i}-0.pid)`);
      if (victim === 'director') {
        director.kill('SIGKILL');
        await director.ended;
        director = await bed.up('-c', config);
      }
      const { code } = await running.ended;
      expect(await until(() => left(i).length === 0)).toBe(true);
      const ms = Math.round(performance.now() - begin);
      outcomes.push(
        `${victim}: exit code ${code}, all of it gone after ${ms} ms, ${(await bed.table()).split('TCP').length - 1} services`,
      );
    }
    const last = start(RUNS);
    await last.says('Startup complete'); // the table may be that of the last round
    expect(await bed.tableBecomes(TABLE)).toBe(TABLE);
    last.kill('SIGTERM');
    await last.ended;
    expect(await bed.table()).toBe('');
    const codes = { supervisor: null, director: 75, keepalived: 137 };
    for (const [i, one] of outcomes.entries()) expect(one).toContain(`exit code ${codes[VICTIMS[i % 3]!]}`);
    if (RUNS > 3) console.log(outcomes.join('\n'));
  }, 600_000);

  it('of a director with a state is not noticed: its table comes back, and keepalived goes on with it', async () => {
    director.kill('SIGTERM');
    await director.ended;
    const kept = bed.file('kept.yaml', `${readFileSync(config, 'utf8')}\nstate: ${bed.folder}/state\n`);
    director = await bed.up('-c', kept);
    const running = start(RUNS + 1);
    await running.says('Startup complete');
    expect(await bed.tableBecomes(TABLE)).toBe(TABLE);
    director.kill('SIGKILL');
    await director.ended;
    director = await bed.up('-c', kept);
    expect(await bed.table()).toBe(TABLE);
    expect(left(RUNS + 1)).not.toEqual([]);
    // Its next commands go to the new process: it takes its services out.
    running.kill('SIGTERM');
    expect((await running.ended).code).toBe(0);
    expect(await bed.table()).toBe('');
  }, 600_000);
});
