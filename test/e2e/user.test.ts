/**
 * `ulvs run --user`: every thread has the user's ids and the few capabilities, the programs that it
 * starts can still do their work, and mistakes are one line. Needs root.
 */
import { chmodSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot } from '../support/netns.js';
import { withTunNode } from '../support/tun-node.js';
import { type Program, Testbed, until } from './testbed.js';

if (!isRoot) console.log('skipped: needs root for namespaces');

const NOBODY = 65534;
/** CAP_NET_ADMIN, CAP_NET_RAW, CAP_IPC_LOCK, CAP_PERFMON, CAP_BPF. */
const KEPT = '000000c000007000';
const NET_ADMIN = '0000000000001000';
const RULES = `-A -t 10.1.0.100:80 -s rr
-a -t 10.1.0.100:80 -r 10.2.0.254:8080 -m`;

/** The values of one field of /proc/PID/task/TID/status, without repetition. */
function ofThreads(pid: number, field: string): string[] {
  const all = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return new RegExp(`^${field}:\\s+(.*)$`, 'm').exec(status)![1]!.trim();
  });
  return [...new Set(all)];
}

/** `mode`: of /dev/net/tun. */
function asNobody(testbed: Testbed, mode: '600' | '666', config: string): Program {
  return testbed.ulvs(['run', '-c', config, '--user', 'nobody'], withTunNode(mode));
}

describe.skipIf(!isRoot)('a director that gives up root', () => {
  let testbed: Testbed;
  let program: Program;
  beforeAll(async () => {
    testbed = new Testbed('user');
    chmodSync(testbed.folder, 0o755);
    const more = 'console: { listen: 127.0.0.1:9732, token: run/console.token }';
    program = asNobody(testbed, '666', testbed.config('director.yaml', { rules: RULES, more }));
    await program.says('director is up');
  });
  afterAll(() => testbed.remove());

  it('has the ids of the user in every thread', () => {
    const pid = program.child.pid!;
    for (const field of ['Uid', 'Gid']) expect(ofThreads(pid, field)).toEqual([Array(4).fill(NOBODY).join('\t')]);
    expect(ofThreads(pid, 'Groups')).toEqual([String(NOBODY)]);
  });

  it('has five capabilities in every thread, and can get no others', () => {
    const pid = program.child.pid!;
    for (const field of ['CapPrm', 'CapEff', 'CapBnd']) expect(ofThreads(pid, field)).toEqual([KEPT]);
    expect(ofThreads(pid, 'NoNewPrivs')).toEqual(['1']);
  });

  it('gives the programs that it starts CAP_NET_ADMIN alone', () => {
    const main = readFileSync(`/proc/${program.child.pid}/status`, 'utf8');
    expect(main).toContain(`CapAmb:\t${NET_ADMIN}`);
    expect(main).toContain(`CapInh:\t${NET_ADMIN}`);
  });

  it('sets nft rules, policy rules and sysctls as before', () => {
    const run = (line: string) => testbed.run(testbed.director, line);
    expect(run('nft list ruleset')).toMatch(/set daddr4\w* \{[^}]*10\.1\.0\.100\b/);
    expect(run('ip rule')).toContain('from 10.2.0.254 ipproto tcp sport 8080');
    expect(run('sysctl -n net.ipv4.conf.ulvs0.rp_filter').trim()).toBe('2');
  });

  it('lets the doctor of its console inspect the machine', () => {
    const token = readFileSync(`${testbed.folder}/run/console.token`, 'utf8').trim();
    const curl = `curl -s -H 'Authorization: Bearer ${token}' http://127.0.0.1:9732/api/doctor`;
    expect(JSON.parse(testbed.try(testbed.director, curl))).toEqual({ findings: [] });
  });

  it('reloads a file that the user may read, and says so of another one', async () => {
    program.kill('SIGHUP');
    await program.says('configuration reloaded');
    chmodSync(`${testbed.folder}/director.yaml`, 0o600);
    program.kill('SIGHUP');
    await program.says(/not reloaded: .*director.yaml: permission denied/);
    expect(program.child.exitCode).toBeNull();
  });

  it('removes all that it made, and ends with 0', async () => {
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
    expect(await until(() => !/ulvs/.test(testbed.traces()))).toBe(true);
    expect(testbed.run(testbed.director, 'ip rule')).not.toContain('10.2.0.254');
  });

  it('refuses a user that there is not', async () => {
    const file = testbed.config('other.yaml');
    const { code, err } = await testbed.ulvs(['run', '-c', file, '--user', 'no-such-user']).ended;
    expect(err).toBe("ulvs: --user no-such-user: there is no such user; 'useradd --system no-such-user' creates it\n");
    expect(code).toBe(2);
  });

  it('refuses to become another user without root', async () => {
    const file = testbed.config('other.yaml');
    const nobody = ['setpriv', '--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups'];
    const { code, err } = await testbed.ulvs(['run', '-c', file, '--user', 'daemon'], nobody).ended;
    expect(err).toBe('ulvs: --user daemon: only root may become another user\n');
    expect(code).toBe(2);
  });
});

describe.skipIf(!isRoot)('a director whose user may not open /dev/net/tun', () => {
  let testbed: Testbed;
  beforeAll(() => {
    testbed = new Testbed('user-tun');
  });
  afterAll(() => testbed.remove());

  it('says what would help, and is up all the same', async () => {
    chmodSync(testbed.folder, 0o755);
    const program = asNobody(testbed, '600', testbed.config('director.yaml', { rules: RULES }));
    await program.says('director is up');
    expect(program.out + program.err).toContain(
      "lost: ulvsN: not permitted (open /dev/net/tun); run as root or with CAP_NET_ADMIN after 'chmod 666 /dev/net/tun'",
    );
    program.kill('SIGTERM');
    expect((await program.ended).code).toBe(0);
  });
});
