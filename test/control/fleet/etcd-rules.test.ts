/** Rules from a real etcd: first reading, changes, mistakes, compaction, etcd away and back. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Logger, pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EtcdConfig, RuleLine } from '../../../src/control/config/director-config.js';
import { EtcdClient } from '../../../src/control/fleet/etcd-client.js';
import { EtcdRules } from '../../../src/control/fleet/etcd-rules.js';
import { Member, type MemberEntry } from '../../../src/control/fleet/member.js';
import { readView } from '../../../src/control/fleet/view.js';
import { base64, Etcd, etcdObstacle } from '../../support/etcd.js';
import { until } from '../../support/until.js';

const reason = etcdObstacle();
if (reason) console.log(`skipped: ${reason}`);

const rule = (port: number, scheduler = 'mh') => `-A -t 10.0.0.100:${port} -s ${scheduler}`;
/** Prefixes differ, so that tests do not meet. */
let tests = 0;

describe.skipIf(reason !== '')('rules from etcd', () => {
  let etcd: Etcd;
  let prefix: string;
  const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-fleet-'));
  const open: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    etcd = await Etcd.start(true);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((one) => one.close()));
  });
  afterAll(async () => {
    await etcd.remove();
    rmSync(folder, { recursive: true });
  });

  /** What follows etcd, with every set of rules that it applied and every line that it said. */
  function follower(more: Partial<EtcdConfig> = {}) {
    const config: EtcdConfig = { endpoints: [etcd.endpoint], prefix, ...more };
    const said: string[] = [];
    const write = (line: string) => void said.push(`${JSON.parse(line).level} ${JSON.parse(line).msg}`);
    const log: Logger = pino({ level: 'info' }, { write });
    const rules = new EtcdRules(new EtcdClient(config), config, log);
    open.push(rules);
    const applied: string[][] = [];
    const apply = async (lines: readonly RuleLine[]) => {
      const wrong = lines.find(({ text }) => text.includes('nope'));
      if (wrong) throw new Error(`${wrong.file}:${wrong.line}: there is no scheduler nope`);
      applied.push(lines.map(({ text }) => text));
    };
    return { rules, said, applied, apply };
  }

  /** The same, after the first reading. */
  async function following(more: Partial<EtcdConfig> = {}) {
    const all = follower(more);
    await all.rules.first(all.apply);
    all.rules.follow(all.apply);
    return all;
  }

  const fresh = () => {
    prefix = `/test${++tests}`;
    return { a: `${prefix}/services/a`, b: `${prefix}/services/b` };
  };

  it('are those of all keys, in the order of the keys, and follow changes', async () => {
    const { a, b } = fresh();
    await etcd.write({ [b]: `# two\n\n${rule(2)}\n`, [a]: rule(1), [`${prefix}/servicesx`]: 'no' });
    const { applied, said } = await following();
    expect(applied).toEqual([[rule(1), rule(2)]]);
    await etcd.write({ [a]: undefined });
    await until(() => applied.length === 2);
    await etcd.write({ [a]: rule(3), [b]: rule(4) });
    await until(() => applied.length === 3);
    expect(applied.slice(1)).toEqual([[rule(2)], [rule(3), rule(4)]]);
    expect(said).toEqual([]);
  });

  it('of a revision with a mistake are not applied at all, those before and after it are', async () => {
    const { a, b } = fresh();
    const { rules, applied, said, apply } = await following();
    const first = await etcd.write({ [a]: rule(1), [b]: rule(1) });
    await until(() => applied.length === 2);
    const bad = await etcd.write({ [a]: rule(2), [b]: `\n${rule(2, 'nope')}` });
    await until(() => said.length > 0);
    expect(said).toEqual([
      `50 etcd: rules of revision ${bad} not applied, those of revision ${first} stay: etcd ${b}:2: there is no scheduler nope`,
    ]);
    expect(rules.version).toMatchObject({ revision: first, refused: `etcd ${b}:2: there is no scheduler nope` });
    expect(rules.lines.map(({ text }) => text)).toEqual([rule(1), rule(1)]);
    await rules.retry(apply);
    expect(said).toHaveLength(2);
    await etcd.write({ [b]: rule(3) });
    await until(() => applied.length === 3);
    expect(applied[2]).toEqual([rule(2), rule(3)]);
    expect(rules.version.refused).toBe('');
  });

  it.each([
    ['-C', 'write -A or -E for a service'],
    ['--set 1 1 1', 'write -A or -E for a service'],
  ])('are refused with a line %s', async (line, words) => {
    const { a } = fresh();
    await etcd.write({ [a]: line });
    const { said, applied } = await following();
    expect(said[0]).toContain(`etcd ${a}:1: ${line}: ${words}`);
    expect(applied).toEqual([]);
  });

  it('stay while etcd is away, which is said once, and go on from where they were', async () => {
    const { a, b } = fresh();
    await etcd.write({ [a]: rule(1) });
    const lastGood = path.join(folder, 'kept', 'rules.json');
    const { said, applied, rules } = await following({ lastGood });
    await etcd.stop();
    await until(() => said.length > 0);
    expect(said[0]).toMatch(/^40 etcd is away, the rules stay as they are: http:\/\/127.0.0.1:\d+: /);
    expect(rules.lines).toHaveLength(1);

    // A start meanwhile: from the file, or without rules.
    const second = await following({ lastGood });
    expect(second.applied).toEqual([[rule(1)]]);
    expect(second.said[1]).toMatch(/^40 rules of revision \d+ from .*rules.json$/);
    const third = await following();
    expect(third.said[1]).toBe('40 no rules yet: the director waits for etcd');

    await etcd.start();
    await etcd.write({ [b]: rule(2) });
    for (const one of [{ said, applied }, second, third]) {
      await until(() => one.applied.at(-1)?.length === 2);
      expect(one.applied.at(-1)).toEqual([rule(1), rule(2)]);
      expect(one.said.filter((line) => line === '30 etcd is back')).toHaveLength(1);
    }
    expect(said).toHaveLength(2);
    expect(JSON.parse(readFileSync(lastGood, 'utf8')).entries).toHaveLength(2);
  });

  it('are read anew after a compaction, and after etcd has lost its data', async () => {
    const { a, b } = fresh();
    const { applied, said } = await following();
    await etcd.write({ [a]: rule(1) });
    await until(() => applied.length === 2);
    await etcd.stop();
    await until(() => said.length > 0);
    // While it is away for the follower only: a compaction removes what it has not seen.
    const from = said.length;
    await etcd.start();
    const revision = await etcd.write({ [a]: rule(2) });
    await etcd.post('kv/compaction', { revision });
    await until(() => applied.at(-1)?.[0] === rule(2));
    await etcd.stop();
    etcd.forget();
    await etcd.start();
    await etcd.write({ [b]: rule(3) });
    await until(() => applied.at(-1)?.[0] === rule(3));
    expect(applied.at(-1)).toEqual([rule(3)]);
    expect(said.slice(from).every((line) => /etcd is (away|back)/.test(line))).toBe(true);
  });

  it('are asked of another endpoint when the first one is away', async () => {
    const { a } = fresh();
    await etcd.write({ [a]: rule(1) });
    const { applied, said } = await following({ endpoints: ['http://127.0.0.1:1', etcd.endpoint] });
    expect(applied).toEqual([[rule(1)]]);
    await etcd.write({ [a]: rule(2) });
    await until(() => applied.length === 2);
    expect(said).toEqual([]);
  });

  it('of more than a thousand keys come in pages', async () => {
    fresh();
    for (let i = 0; i < 25; i++) {
      const keys = Array.from({ length: 100 }, (_, j) => [`${prefix}/services/${i * 100 + j}`, rule(i * 100 + j + 1)]);
      await etcd.write(Object.fromEntries(keys));
    }
    const { applied } = await following();
    expect(applied[0]).toHaveLength(2500);
    expect(new Set(applied[0]).size).toBe(2500);
  });

  it('of another form of file are left out', async () => {
    fresh();
    const lastGood = path.join(folder, 'rubbish.json');
    writeFileSync(lastGood, '{"revision": 1, "entries": [');
    const { said } = await following({ endpoints: ['http://127.0.0.1:1'], lastGood });
    expect(said[1]).toBe(`50 rules.etcd.lastGood: ${lastGood}: is not a file of this key; it is left out`);
  });

  it('need the password of the user, where etcd asks for it', async () => {
    const { a } = fresh();
    await etcd.write({ [a]: rule(1) });
    const passwordFile = path.join(folder, 'password');
    writeFileSync(passwordFile, 'secret\n');
    await etcd.post('auth/role/add', { name: 'root' });
    for (const [name, password] of [
      ['root', 'x'],
      ['ulvs', 'secret'],
    ]) {
      await etcd.post('auth/user/add', { name, password });
      await etcd.post('auth/user/grant', { user: name, role: 'root' });
    }
    await etcd.post('auth/enable', {});
    const stranger = await following();
    expect(stranger.said[0]).toContain('etcd is away, the rules stay as they are: etcdserver: user name is empty');
    const { applied, said } = await following({ user: { name: 'ulvs', passwordFile } });
    expect(applied).toEqual([[rule(1)]]);
    expect(said).toEqual([]);
    const { token } = (await etcd.post('auth/authenticate', { name: 'root', password: 'x' })) as { token: string };
    const headers = { authorization: token };
    await fetch(`${etcd.endpoint}/v3/auth/disable`, { method: 'POST', body: '{}', headers });
  });

  it('come over TLS, to a director with a certificate', async () => {
    const { a } = fresh();
    await etcd.write({ [a]: rule(1) });
    const file = (name: string) => path.join(etcd.folder, name);
    const tls = { ca: file('ca.pem'), cert: file('client.pem'), key: file('client.key') };
    const { applied, said } = await following({ endpoints: [etcd.secure], tls });
    await etcd.write({ [a]: rule(2) });
    await until(() => applied.length === 2);
    expect([applied, said]).toEqual([[[rule(1)], [rule(2)]], []]);
    const nameless = await following({ endpoints: [etcd.secure], tls: { ca: tls.ca } });
    expect(nameless.said[0]).toMatch(/^40 etcd is away, .*(certificate required|bad certificate)/);
    const trusting = await following({ endpoints: [etcd.secure], tls: { cert: tls.cert, key: tls.key } });
    expect(trusting.said[0]).toMatch(
      /^40 etcd is away, .*: its certificate is of an unknown authority; name that as tls.ca$/,
    );
    expect(() => follower({ tls: { ca: file('none.pem') } })).toThrow(
      `rules.etcd.tls.ca: ${file('none.pem')}: no such file`,
    );
  });

  it('that a compaction has removed are told apart from changes', async () => {
    const { a } = fresh();
    await etcd.write({ [a]: rule(1) });
    const revision = await etcd.write({ [a]: rule(2) });
    await etcd.post('kv/compaction', { revision });
    const client = new EtcdClient({ endpoints: [etcd.endpoint], prefix });
    const reports = client.watch(`${prefix}/services/`, revision - 1, new AbortController().signal);
    const seen: unknown[] = [];
    for await (const report of reports) seen.push(report);
    expect(seen.at(-1)).toEqual({ stale: true });
    const ahead = client.watch(`${prefix}/services/`, revision + 1000, new AbortController().signal);
    expect((await ahead.next()).value).toEqual({ stale: true });
  });

  describe('the entry of a director', () => {
    const entry = (digest: string): MemberEntry => ({
      name: 'd1',
      version: '0.1.0',
      started: 0,
      announced: ['10.0.0.100/32'],
      withdrawn: false,
      connections: 7,
      rules: { revision: 1, digest, refused: '' },
    });

    it('is there while the director is, and says whether its rules are those of etcd', async () => {
      const { a } = fresh();
      await etcd.write({ [a]: rule(1), [`${prefix}/directors/odd`]: 'not JSON' });
      const client = new EtcdClient({ endpoints: [etcd.endpoint], prefix });
      const { rules } = await following();
      let digest = 'other';
      const member = new Member(client, prefix, 'd1', async () => entry(digest));
      member.start();
      await until(async () => (await readView(client, prefix)).directors.length === 1);
      expect((await readView(client, prefix)).directors).toMatchObject([
        { name: 'd1', rules: 'behind', connections: 7 },
      ]);
      digest = rules.version.digest;
      await member.refresh();
      expect((await readView(client, prefix)).directors).toMatchObject([{ name: 'd1', rules: 'equal' }]);
      await member.close();
      expect((await readView(client, prefix)).directors).toEqual([]);
    });

    it('comes back after its lease has ended', async () => {
      fresh();
      const client = new EtcdClient({ endpoints: [etcd.endpoint], prefix });
      const member = new Member(client, prefix, 'd1', async () => entry(''));
      open.push(member);
      member.start();
      const key = base64(`${prefix}/directors/d1`);
      const lease = async () => {
        const { kvs = [] } = (await etcd.post('kv/range', { key })) as { kvs?: { lease: string }[] };
        return kvs[0]?.lease;
      };
      await until(async () => (await lease()) !== undefined);
      const first = await lease();
      await etcd.post('lease/revoke', { ID: first });
      expect(await lease()).toBeUndefined();
      await member.refresh();
      expect(await lease()).not.toBe(first);
    });
  });
});
