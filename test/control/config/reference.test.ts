import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Config, parseConfig } from '../../../src/control/config/config.js';
import { configKeys } from '../../../src/control/config/reference.js';
import { refuseFixed } from '../../../src/control/config/restart-only.js';
import { SYSCTL_NAMES } from '../../../src/service/sysctl.js';

/** A file in which every list of mappings has an entry, so that any key can be put into it. */
const BASE = `
devices: [{ name: eth0, addresses: [10.0.0.254/24, "2001:db8::1/64"] }]
routes: [{ to: 172.16.0.0/12, via: 10.0.0.1, dev: eth0 }, { to: 172.31.0.0/16, dev: eth0, table: 100 }]
policy: [{ priority: 1, table: main }]
neighbours: [{ ip: 10.0.0.2, dev: eth0, mac: "02:00:00:00:0a:02" }]
snat: [{ from: 192.168.1.0/24, to: 10.0.0.100 }]
sync: { master: { interface: eth0 }, backup: { interface: eth0 } }
metrics: { listen: /run/ulvs/metrics.sock }
serviceOptions: [{ service: "-t 10.0.0.100:80" }]
console: { listen: /run/ulvs/console.sock, tls: { cert: c.pem, key: c.key } }
checks: [{ service: "-t 10.0.0.100:80", run: [{ type: tcp }, { type: tcp, name: web }] }]
rules: { etcd: { endpoints: [https://10.0.0.2:2379], tls: { cert: c.pem }, user: { name: u, passwordFile: p } } }
`;

const keys = configKeys();

/** BASE with `value` at `path`; undefined takes the key away. */
function withKey(path: string, value: unknown): string {
  const file = parse(BASE);
  const steps = path.replaceAll('[]', '.0').split('.');
  const last = steps.pop()!;
  // One of the two may be given.
  if (path === 'rulesFile') delete file.rules;
  const parent = steps.reduce((at, step) => {
    at[step] ??= {};
    return at[step];
  }, file);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return stringify(file);
}

function at(config: Config, path: string): unknown {
  const steps = path.replaceAll('[]', '.0').split('.');
  return steps.reduce<unknown>((inner, step) => (inner as Record<string, unknown>)[step], config);
}

describe('the reference of director.yaml', () => {
  it('has the top-level keys and those inside them', () => {
    const paths = keys.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining(['devices', 'devices[].name', 'accept.arp', 'workers']));
    expect(paths).toEqual(expect.arrayContaining(SYSCTL_NAMES.map((name) => `sysctl.${name}`)));
    expect(new Set(paths).size).toBe(paths.length);
  });

  it.each(keys)('$path has words for a reader', ({ type, text, example }) => {
    expect(text).toMatch(/^[\w-].{8,}$/s);
    expect(type).not.toBe('');
    expect(example).not.toBe('');
  });

  it.each(keys)('$path: the example is right', ({ path, example }) => {
    expect(() => parseConfig(withKey(path, parse(example)), 'director.yaml')).not.toThrow();
  });

  const simple = keys.filter(({ default: value }) => value !== undefined);
  it.each(simple)('$path: the default is what holds without the key', ({ path, default: value }) => {
    const without = parseConfig(withKey(path, undefined), 'director.yaml');
    expect(at(parseConfig(withKey(path, parse(value!)), 'director.yaml'), path)).toEqual(at(without, path));
  });

  it('says what holds without an optional key that has no default', () => {
    const silent = keys.filter(({ default: value, required, without }) => !required && !value && without === '');
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  const required = keys.filter((key) => key.required);
  it.each(required)('$path is required', ({ path }) => {
    expect(() => parseConfig(withKey(path, undefined), 'director.yaml')).toThrow('is missing; it should be');
  });
});

describe('a reload', () => {
  const running = parseConfig(BASE, 'director.yaml');
  const reloaded = (path: string) => keys.find((key) => key.path === path)!.reload;

  it.each([
    ['devices[].mtu', 9000],
    ['neighbours[].ip', '10.0.0.3'],
    ['socket', '/run/ulvs/second.sock'],
    ['connections.max', 1000],
    ['workers', 2],
    ['workerCpus', [1]],
    ['workerPriority', 'realtime'],
  ])('refuses another %s, which the reference says needs a restart', (path, value) => {
    const wanted = parseConfig(withKey(path, value), 'director.yaml');
    const name = path.split(/[.[]/)[0];
    expect(() => refuseFixed(running, wanted)).toThrow(`director.yaml: ${name} cannot change while the director runs`);
    expect(reloaded(path)).toBe(false);
  });

  it.each([
    ['routes[].via', '10.0.0.3'],
    ['policy[].priority', 2],
    ['marks', ['-d 10.9.0.0/16 -j MARK --set-mark 1']],
    ['accept.arp', true],
    ['sysctl.conn_reuse_mode', 2],
    ['timeouts.tcp', 60],
    ['helpers.ftp', []],
    ['snat[].to', '10.0.0.101'],
    ['rules', '-A -t 10.0.0.100:80'],
    ['rulesFile', 'ulvs.rules'],
  ])('takes another %s, which the reference says is reloaded', (path, value) => {
    const wanted = parseConfig(withKey(path, value), 'director.yaml');
    expect(wanted).not.toEqual(running);
    expect(() => refuseFixed(running, wanted)).not.toThrow();
    expect(reloaded(path)).toBe(true);
  });
});
