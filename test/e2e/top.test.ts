/** `ulvs top` in a real pseudo-terminal (tmux): keys, mouse, a weight, connections, the end. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { DIST, type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const VIP = '10.1.0.100';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m -w 4
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m -w 2
-A -t ${VIP}:81 -s rr
-a -t ${VIP}:81 -r 10.2.0.11:8081 -m
-A -u ${VIP}:53 -s wlc
-a -u ${VIP}:53 -r 10.2.0.12:53 -m -w 0`;
const WEB = `require('net').createServer((c) => c.on('error', () => {}).end('hello')).listen(8080, () => console.log('ready'));
require('net').createServer({ allowHalfOpen: true }, (c) => c.on('error', () => {}).write('held')).listen(8081)`;

describe.skipIf(!isRoot)('ulvs top', { timeout: 60_000 }, () => {
  let testbed: Testbed;
  let director: Program;

  const tmux = (...words: string[]) =>
    execFileSync('tmux', ['-S', path.join(testbed.folder, 'tmux'), '-f', '/dev/null', ...words], { encoding: 'utf8' });
  const screen = () => tmux('capture-pane', '-p', '-t', 'top');
  const keys = (...names: string[]) => tmux('send-keys', '-t', 'top', ...names);
  /** As a terminal reports it (SGR): button 0 pressed and released; places count from 1. */
  const click = (x: number, y: number) => tmux('send-keys', '-t', 'top', '-l', `\x1b[<0;${x};${y}M\x1b[<0;${x};${y}m`);
  const shows = async (pattern: RegExp) => {
    await until(() => pattern.test(screen()));
    expect(screen()).toMatch(pattern);
  };
  const rowOf = (text: string) =>
    screen()
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1;
  const weights = async () => [...(await testbed.ulvsadm('-Sn')).out.matchAll(/-w (\d+)/g)].map(([, weight]) => weight);

  beforeAll(async () => {
    testbed = new Testbed('top');
    await testbed.serve(testbed.servers, WEB);
    director = await testbed.up('-c', testbed.config('top.yaml', { rules: RULES }));
    const command = `${process.execPath} ${DIST}/cli/main.js top --interval 0.3 --socket ${testbed.socket}; echo ended $?; cat`;
    tmux('new-session', '-d', '-s', 'top', '-x', '130', '-y', '24', 'sh', '-c', command);
  });
  afterAll(async () => {
    tmux('kill-server');
    director.kill('SIGTERM');
    await director.ended;
    await testbed.remove();
  });

  it('shows services and real servers with their states and weights', async () => {
    await shows(/-t 10\.1\.0\.100:80 rr +2\/2 used/);
    await shows(/10\.2\.0\.11:8080 masq +4 +0 +0/);
    await shows(/10\.2\.0\.12:53 masq +quiesced +0/);
    await shows(/3 services, 4 real servers, 1 worker( |$)/m);
  });

  it('shows rates while packets flow', async () => {
    const load = testbed.start(testbed.client, ['bash', '-c', `while sleep 0.02; do cat </dev/tcp/${VIP}/80; done`]);
    await shows(/-t 10\.1\.0\.100:80 rr .* [1-9][\d.k]* +[1-9][\d.k]* +[1-9][\d.k]* .*[▂-█]/);
    load.kill('SIGKILL');
    await load.ended;
  });

  it('changes a weight after a confirmation, and not without', async () => {
    keys('Home', 'Down', '+', '+');
    await shows(/weight of -t 10\.1\.0\.100:80 10\.2\.0\.1[12]:8080: \d -> \d\?/);
    keys('Escape');
    await shows(/the weight is as before/);
    expect((await weights()).sort()).toEqual(['0', '1', '2', '4']);
    click(5, rowOf('10.2.0.12:8080'));
    keys('-');
    await shows(/10\.2\.0\.12:8080: 2 -> 1\?/);
    keys('Enter');
    await shows(/10\.2\.0\.12:8080 has weight 1/);
    expect((await weights()).sort()).toEqual(['0', '1', '1', '4']);
  });

  it('shows the connections of a real server after a second click', async () => {
    const held = testbed.start(testbed.client, ['bash', '-c', `exec 3<>/dev/tcp/${VIP}/81; head -c 4 <&3; read <&3`]);
    await until(() => held.out === 'held');
    click(5, rowOf('-t 10.1.0.100:81'));
    click(5, rowOf('-t 10.1.0.100:81'));
    await shows(/connections of -t 10\.1\.0\.100:81/);
    await shows(/TCP +10\.1\.0\.1:\d+ +10\.1\.0\.100:81 +10\.2\.0\.11:8081 +ESTABLISHED +\d+ s/);
    keys('Escape');
    await shows(/service, real server▲? +state/);
    held.kill('SIGKILL');
  });

  it('sorts by a clicked heading, filters, and turns pages', async () => {
    click(screen().split('\n')[4]!.indexOf('weight') + 2, 5);
    await shows(/weight▼/);
    keys('/');
    tmux('send-keys', '-t', 'top', '-l', ':53');
    keys('Enter');
    await until(() => !screen().includes(':808'));
    expect(screen()).toMatch(/-u 10\.1\.0\.100:53/);
    expect(screen()).not.toContain(':808');
    keys('Escape', '3');
    await shows(/worker 0 +\d+/);
    await shows(/eth2 \(packet\) +\d+/);
    keys('h');
    await shows(/any key goes back/);
    keys('h');
  });

  it('says that the director has gone, and finds it when it is back', async () => {
    director.kill('SIGTERM');
    await director.ended;
    await shows(/no director is listening|closed the connection/);
    director = await testbed.up('-c', path.join(testbed.folder, 'top.yaml'));
    keys('1');
    await shows(/-t 10\.1\.0\.100:80 rr +2\/2 used/);
  });

  it('ends at once, though an answer of the director is still to come', async () => {
    director.kill('SIGSTOP');
    await sleep(1000);
    keys('q');
    await shows(/ended 0/);
    director.kill('SIGCONT');
  });

  it('needs a terminal', async () => {
    const { code, err } = await testbed.ulvs(['top', '--socket', testbed.socket]).ended;
    expect({ code, err }).toEqual({
      code: 2,
      err: "ulvs: top: it needs a terminal; 'ulvs status --json' and 'ulvs stats --json' print once\n",
    });
  });
});
