/** The monitor reports the changes that ip(8) makes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change, Kind, Records } from '../../src/netlink/change.js';
import type { Monitor } from '../../src/netlink/monitor.js';
import { Lab, skipReason } from './lab.js';

/**
 * A thread needs plain JavaScript: the built monitor is tested. `make test` builds first; a bare
 * vitest run does it here.
 */
const BUILT = new URL('../../dist/netlink/monitor.js', import.meta.url);
if (!existsSync(BUILT)) spawnSync('npm', ['run', 'build'], { cwd: new URL('../..', import.meta.url) });
const { monitor } = (await import(BUILT.href)) as typeof import('../../src/netlink/monitor.js');

const DEADLINE_MS = 8000;

describe.skipIf(skipReason('netlink monitor'))('monitor', () => {
  let lab: Lab;
  let open: Monitor[];
  let seen: Change[];
  let lost: string[];

  beforeEach(() => {
    lab = new Lab('mon');
    open = [];
    seen = [];
    lost = [];
  });
  afterEach(async () => {
    await Promise.all(open.map((one) => one.close()));
    lab?.remove();
  });

  function start(kinds?: readonly Kind[], bufferBytes?: number): Monitor {
    const onChange = (changes: readonly Change[]) => void seen.push(...changes);
    const onLost = (reason: string) => void lost.push(reason);
    const options = { onChange, onLost, ...(kinds && { kinds }), ...(bufferBytes && { bufferBytes }) };
    const made = lab.inside(() => monitor(options));
    open.push(made);
    return made;
  }

  async function until(what: string, done: () => boolean): Promise<void> {
    for (const end = Date.now() + DEADLINE_MS; !done(); await new Promise((resolve) => setTimeout(resolve, 5)))
      if (Date.now() > end) throw new Error(`${what}: not seen in ${DEADLINE_MS} ms; seen ${JSON.stringify(seen)}`);
  }

  /** Waits for a change whose record has these fields. */
  async function saw<K extends Kind>(kind: K, action: 'set' | 'del', fields: Partial<Records[K]>): Promise<void> {
    const fits = (change: Change) =>
      change.kind === kind &&
      change.action === action &&
      Object.entries(fields).every(([key, value]) => change.record[key as keyof typeof change.record] === value);
    await until(`${action} ${kind} ${JSON.stringify(fields)}`, () => seen.some(fits));
  }

  it('sees routes and rules come and go, in both families', async () => {
    start(['route', 'rule']);
    for (const [net, via] of [
      ['10.30.0.0/16', '10.1.0.2'],
      ['2001:db8:30::/48', '2001:db8:1::2'],
    ] as const) {
      const family = net.includes(':') ? 6 : 4;
      lab.run(`ip route add ${net} via ${via} table 9 metric 5`, `ip -${family} rule add pref 50 fwmark 6 lookup 9`);
      await saw('route', 'set', { dst: net, gateway: via, table: 9, priority: 5 });
      await saw('rule', 'set', { family, priority: 50, fwmark: 6, fwmask: 0xffffffff, table: 9 });
      lab.run(`ip route del ${net} table 9`, `ip -${family} rule del pref 50`);
      await saw('route', 'del', { dst: net, table: 9 });
      await saw('rule', 'del', { family, priority: 50 });
    }
    expect(lost).toEqual([]);
    expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set(['route', 'rule']));
  });

  it('says that a route took the place of another', async () => {
    start(['route']);
    lab.run('ip route add 10.31.0.0/16 via 10.1.0.2', 'ip route replace 10.31.0.0/16 via 10.2.0.2');
    await saw('route', 'set', { dst: '10.31.0.0/16', gateway: '10.2.0.2' });
    const sets = seen.filter((change) => change.kind === 'route' && change.record.dst === '10.31.0.0/16');
    expect(sets.map(({ action, replaces }) => [action, replaces])).toEqual([
      ['set', false],
      ['set', true],
    ]);
  });

  it('sees links and addresses', async () => {
    start(['link', 'address']);
    lab.run('ip link add new0 type veth peer name new1', 'ip link set new0 up', 'ip addr add 10.7.0.1/24 dev new0');
    await saw('link', 'set', { name: 'new0', kind: 'veth', up: true });
    await saw('address', 'set', { address: '10.7.0.1', prefixLength: 24 });
    lab.run('ip link del new0');
    await saw('address', 'del', { address: '10.7.0.1' });
    await saw('link', 'del', { name: 'new0' });
  });

  it.each([['10.1.0.2'], ['2001:db8:1::2']])('useNeighbour makes the kernel resolve %s', async (ip) => {
    start(['neighbour']);
    const socket = lab.socket();
    const ifindex = lab.ifindex('va0');
    lab.run('ip neigh flush all');
    socket.useNeighbour(ifindex, ip);
    await saw('neighbour', 'set', { ip, ifindex, mac: '02:00:00:00:00:b0', state: 'REACHABLE', valid: true });
    expect(socket.dump('neighbour')).toContainEqual(expect.objectContaining({ ip, mac: '02:00:00:00:00:b0' }));
    // Again: no error for an entry that is there.
    socket.useNeighbour(ifindex, ip);
  });

  it('sees FAILED where nobody answers', async () => {
    start(['neighbour']);
    lab.run('echo 100 > /proc/sys/net/ipv4/neigh/va0/retrans_time_ms');
    lab.socket().useNeighbour(lab.ifindex('va0'), '10.1.0.200');
    await saw('neighbour', 'set', { ip: '10.1.0.200', mac: '', state: 'FAILED', valid: false });
  });

  it('sees neighbours that were set and deleted, and refusals say why', async () => {
    start(['neighbour']);
    const socket = lab.socket();
    const ifindex = lab.ifindex('va0');
    for (const ip of ['10.1.0.5', '2001:db8:1::5']) {
      socket.setNeighbour(ifindex, ip, '02:00:00:00:00:05');
      await saw('neighbour', 'set', { ip, mac: '02:00:00:00:00:05', state: 'PERMANENT' });
      socket.deleteNeighbour(ifindex, ip);
      await until(`${ip} gone`, () => !socket.dump('neighbour').some((one) => one.ip === ip && one.valid));
      expect(() => socket.deleteNeighbour(ifindex, '10.1.0.6')).toThrow('delete neighbour 10.1.0.6: ENOENT');
    }
    expect(() => socket.useNeighbour(0, '10.1.0.5')).toThrow('use neighbour 10.1.0.5: EINVAL (Device not specified)');
    expect(() => socket.useNeighbour(99999, '10.1.0.5')).toThrow('use neighbour 10.1.0.5: ENODEV');
    expect(() => socket.setNeighbour(ifindex, '10.1.0.5', '02:00')).toThrow('"02:00" is not a MAC address');
  });

  it('reports a loss once the queue overflowed, and goes on', async () => {
    const made = start(['route'], 2304);
    expect(made).toBeDefined();
    const lines = Array.from({ length: 4000 }, (_, i) => `route add 10.${40 + (i >> 8)}.${i & 255}.0/24 via 10.1.0.2`);
    for (let round = 0; round < 10 && lost.length === 0; round++) {
      lab.batch(4, round % 2 ? lines.map((line) => line.replace('add', 'del')) : lines);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await until('a loss', () => lost.length > 0);
    expect(lost[0]).toBe('the kernel dropped changes (ENOBUFS)');
    lab.run('ip route add 10.99.0.0/24 via 10.1.0.2');
    await saw('route', 'set', { dst: '10.99.0.0/24' });
  });

  it('loses nothing of 4000 changes with its usual buffer', async () => {
    start(['route']);
    const lines = Array.from({ length: 4000 }, (_, i) => `route add 10.${40 + (i >> 8)}.${i & 255}.0/24 via 10.1.0.2`);
    lab.batch(4, lines);
    await saw('route', 'set', { dst: '10.55.159.0/24' });
    expect(lost).toEqual([]);
    expect(seen.filter(({ action }) => action === 'set')).toHaveLength(4000);
  });

  it('close ends at once, twice too, calls nothing any more and leaves no descriptor', async () => {
    const before = descriptors();
    const made = start();
    expect(descriptors()).not.toEqual(before);
    const began = Date.now();
    const closing = made.close();
    lab.run('ip route add 10.98.0.0/24 via 10.1.0.2');
    await Promise.all([closing, made.close()]);
    expect(Date.now() - began).toBeLessThan(900);
    expect(seen).toEqual([]);
    expect(descriptors()).toEqual(before);
  });

  function descriptors(): string[] {
    const link = (fd: string) => (existsSync(`/proc/self/fd/${fd}`) ? readlinkSync(`/proc/self/fd/${fd}`) : '');
    const all = readdirSync('/proc/self/fd').map((fd) => link(fd).replace(/\d+/g, 'n'));
    return all.filter((target) => target.includes('eventfd') || target.startsWith('socket')).sort();
  }

  /** What becomes of a process that has a monitor: [exit code, how long it took in ms]. */
  function processWith(rest: string): [number | null, number] {
    const script = `import { monitor } from ${JSON.stringify(BUILT.href)};
      const one = monitor({ onChange() {}, onLost() {} });
      ${rest}`;
    const began = Date.now();
    const args = ['netns', 'exec', lab.a, process.execPath, '--input-type=module', '-e', script];
    return [spawnSync('ip', args, { timeout: DEADLINE_MS }).status, Date.now() - began];
  }

  it.each([
    ['ends', 'setTimeout(() => {}, 200);', 0],
    ['ends right away', '', 0],
    ['closes', 'await one.close();', 0],
    ['exits', 'setTimeout(() => process.exit(7), 200);', 7],
    ['throws', "setTimeout(() => { throw new Error('x'); }, 200);", 1],
  ])('does not keep a process alive that %s', (_, rest, code) => {
    const [status, ms] = processWith(rest);
    expect(status).toBe(code);
    expect(ms).toBeLessThan(3000);
  });

  it('needs no privilege to listen', () => {
    const args = ['-u', '65534', process.execPath, '--input-type=module', '-e'];
    const script = `import { monitor } from ${JSON.stringify(BUILT.href)};
      await monitor({ onChange() {}, onLost() {} }).close(); console.log('listened');`;
    expect(
      execFileSync('setpriv', ['--reuid', '65534', '--clear-groups', ...args.slice(2), script], { encoding: 'utf8' }),
    ).toContain('listened');
  });
});
