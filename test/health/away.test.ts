/**
 * What is outside a check goes away: the host's resolver, the wall clock. Checks, drains and sessions use neither.
 */
import dns from 'node:dns';
import { readdirSync, readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { runCheck } from '../../src/health/run.js';
import { CHECK_TYPES, type Check } from '../../src/health/spec.js';
import { CHECK } from './check.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A check of a server that accepts and says nothing; its command ends at once. */
async function check(type: Check['type'], more: Partial<Check> = {}) {
  const server = net.createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const what = { ...CHECK, type, id: type, timeout: 700, connectTimeout: 600, command: ['/bin/true'], ...more };
  const names = { host: 'www.example.org', sni: 'www.example.org', name: 'www.example.org' };
  const target = { slot: 1, name: 'rs', address: '127.0.0.1', pinged: '127.0.0.1', port, checks: [what] };
  try {
    return await runCheck(target, { ...what, ...names }, undefined);
  } finally {
    server.close();
  }
}

it('no check waits for the resolver of the host, whatever names it has', async () => {
  // A resolver that never answers. Numbers need none.
  const { lookup } = dns;
  const asked: string[] = [];
  const silent = (name: string, ...rest: unknown[]) =>
    net.isIP(name) === 0 ? asked.push(name) : Reflect.apply(lookup, dns, [name, ...rest]);
  vi.spyOn(dns, 'lookup').mockImplementation(silent as unknown as typeof dns.lookup);
  const types = CHECK_TYPES.filter((type) => type !== 'sctp' && type !== 'passive');
  const began = performance.now();
  const outcomes = await Promise.all(types.map(async (type) => [type, await check(type)] as const));
  expect(performance.now() - began).toBeLessThan(5000);
  expect(outcomes.filter(([, { ok }]) => ok).map(([type]) => type)).toContain('tcp');
  expect(asked).toEqual([]);
});

it('a wall clock that jumps disturbs no deadline', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
  for (const year of [1971, 2090]) {
    const began = performance.now();
    const running = [check('http'), check('tcp'), check('script', { command: ['/bin/sleep', '9'] })];
    vi.setSystemTime(Date.UTC(year, 0, 1));
    const outcomes = await Promise.all(running);
    expect(outcomes.map(({ ok }) => ok)).toEqual([false, true, false]);
    expect(performance.now() - began).toBeLessThan(5000);
  }
});

/** Who may read the wall clock, and why. */
const WALL_CLOCK: Readonly<Record<string, string>> = {
  'src/health/checkers/http.ts': 'the dates of a certificate',
  'src/control/engine/clock.ts': 'the times of a trace, as people read them',
  'src/control/sync/auth.ts': 'numbers that grow over restarts',
  'src/control/fleet/fleet.ts': 'the time of the start, for other machines',
  'src/control/console/live.ts': 'the time of a snapshot, for the browser',
};

it('health checks and the control thread read the wall clock for dates only', () => {
  const all = ['src/health', 'src/control', 'src/netlink'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name)),
  );
  const readers = all.filter(
    (file) => file.endsWith('.ts') && /Date\.now|new Date\(\)/.test(readFileSync(file, 'utf8')),
  );
  expect(readers.sort()).toEqual(Object.keys(WALL_CLOCK).sort());
});
