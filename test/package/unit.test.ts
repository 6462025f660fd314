/**
 * The unit, as systemd's own tools see it, and what the packages install beside it. `make test-deb` boots
 * a systemd with it.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (name: string) => readFileSync(path.join(ROOT, name), 'utf8');
const unit = read('packaging/ulvs.service');
/** The values of a setting, in order. */
const all = (key: string) =>
  unit.split('\n').flatMap((line) => (line.startsWith(`${key}=`) ? [line.split('=')[1]] : []));

const analyze = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
if (analyze.error) console.log('skipped: systemd-analyze is not installed');

describe('the unit', () => {
  it('gives the user the same capabilities in both sets, and the others none', () => {
    expect(all('AmbientCapabilities')).toEqual(all('CapabilityBoundingSet'));
    expect(all('AmbientCapabilities')).toEqual(['CAP_NET_ADMIN CAP_NET_RAW CAP_BPF CAP_PERFMON']);
    expect(all('User')).toEqual(['ulvs']);
  });

  it('has the settings that docs/service.md explains', () => {
    const page = read('docs/service.md');
    for (const key of ['NotifyAccess', 'RuntimeDirectoryPreserve', 'Restart', 'LimitMEMLOCK', 'LimitRTPRIO']) {
      expect(all(key), key).toHaveLength(1);
      expect(page, key).toContain(`${key}=${all(key)[0]}`);
    }
  });

  it.skipIf(analyze.error)('is understood by systemd-analyze verify', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-unit-'));
    try {
      const program = path.join(folder, 'ulvs');
      writeFileSync(program, '');
      chmodSync(program, 0o755);
      const file = path.join(folder, 'ulvs.service');
      writeFileSync(file, unit.replaceAll('/usr/bin/ulvs', program).replace(/^Documentation=.*$/m, ''));
      const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(analyze.error)('has the exposure that docs/service.md names', () => {
    const file = path.join(ROOT, 'packaging/ulvs.service');
    const out = execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', file], {
      encoding: 'utf8',
    });
    const score = /Overall exposure level for ulvs.service: ([\d.]+)/.exec(out)![1]!;
    // Each version of systemd counts a little differently.
    expect(Number(score)).toBeLessThanOrEqual(3.1);
    if (analyze.stdout.startsWith('systemd 252'))
      expect(read('docs/service.md')).toContain(`says ${score} (systemd 252`);
  });
});

describe('what is installed', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'ulvs-install-'));
  const within = (name: string) => path.join(root, 'opt', name);
  beforeAll(() => {
    const env = { ...process.env, DESTDIR: root, PREFIX: '/opt', NAMES: 'yes' };
    execFileSync(path.join(ROOT, 'scripts/install.sh'), { env, stdio: ['ignore', 'ignore', 'inherit'] });
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it('is a unit that starts the installed program', () => {
    const text = readFileSync(within('lib/systemd/system/ulvs.service'), 'utf8');
    expect(text).toContain('ExecStart=/opt/bin/ulvs run -c /etc/ulvs/director.yaml');
  });

  it.each(['bin/ulvs', 'bin/ulvsadm', 'lib/ulvs/names/ipvsadm-save'])('is a program %s', (name) => {
    expect(statSync(within(name)).mode & 0o777).toBe(0o755);
    expect(spawnSync('sh', ['-n', within(name)]).status).toBe(0);
  });

  it('runs from there, and speaks as ipvsadm under that name', () => {
    const run = (file: string, ...words: string[]) =>
      execFileSync(process.execPath, [within(`lib/ulvs/dist/cli/${file}`), ...words], { encoding: 'utf8' });
    expect(run('main.js', '--version')).toBe(`${JSON.parse(read('package.json')).version}\n`);
    expect(run('ipvsadm.js', '--version')).toMatch(/^ipvsadm v1\.31 /);
    expect(run('ulvsadm.js', '--version')).toMatch(/^ulvsadm v/);
  });

  it('has manual pages, completions, and a configuration that takes nothing', () => {
    for (const page of ['man8/ulvs.8', 'man8/ulvsadm.8', 'man5/director.yaml.5'])
      expect(statSync(within(`share/man/${page}`)).size).toBeGreaterThan(1000);
    for (const file of ['bash-completion/completions/ulvs', 'zsh/vendor-completions/_ulvs'])
      expect(statSync(within(`share/${file}`)).size).toBeGreaterThan(1000);
    const words = [within('lib/ulvs/dist/cli/main.js'), 'check', path.join(root, 'etc/ulvs/director.yaml')];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toMatch(/director.yaml:\d+: devices: the list is empty; name a device\n$/);
  });

  it('keeps a configuration that is there, and a program that is another ipvsadm', () => {
    const env = { ...process.env, DESTDIR: path.join(root, 'other'), PREFIX: '/opt', NAMES: 'yes' };
    mkdirSync(path.join(root, 'other/opt/sbin'), { recursive: true });
    mkdirSync(path.join(root, 'other/etc/ulvs'), { recursive: true });
    writeFileSync(path.join(root, 'other/opt/sbin/ipvsadm'), 'mine');
    writeFileSync(path.join(root, 'other/etc/ulvs/director.yaml'), 'mine');
    const { status, stderr } = spawnSync(path.join(ROOT, 'scripts/install.sh'), { env, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^install: .*opt\/sbin\/ipvsadm is another program: /);
    for (const file of ['opt/sbin/ipvsadm', 'etc/ulvs/director.yaml'])
      expect(readFileSync(path.join(root, 'other', file), 'utf8')).toBe('mine');
  });
});

describe('the Debian package', () => {
  it('has the version of package.json', () => {
    expect(read('debian/changelog').split('\n')[0]).toContain(`(${JSON.parse(read('package.json')).version})`);
  });

  it.each(['postinst', 'prerm', 'postrm'])('has a script %s that sh can read', (name) => {
    expect(spawnSync('sh', ['-n', path.join(ROOT, `debian/ulvs.${name}`)]).status).toBe(0);
  });
});
