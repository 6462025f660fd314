/** ulvsadm: save and restore, its own options, names, and random command lines. */
import { describe, expect, it } from 'vitest';
import type { AdminClient, ServiceEntry } from '../../src/control/api/api.js';
import { SocketClient } from '../../src/control/api/client.js';
import { defaultSocket } from '../../src/control/api/socket-path.js';
import { parseConfig } from '../../src/control/config/config.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { help } from '../../src/ulvsadm/help.js';
import { offlineNames, PortNames } from '../../src/ulvsadm/names.js';
import { OPTION_NAMES } from '../../src/ulvsadm/options/names.js';
import { SERVER_OPTIONS } from '../../src/ulvsadm/options/server.js';
import { SERVICE_OPTIONS } from '../../src/ulvsadm/options/service.js';
import { LEGAL, OPTIONS, ROWS } from '../../src/ulvsadm/options.js';
import { takeOwnOptions } from '../../src/ulvsadm/own-options.js';
import { type Result, type Settings, ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { Random } from '../support/seed.js';
import { inProcess, recordedNames } from './director.js';

const SETTINGS: Settings = { names: recordedNames };

function run(line: string, client: AdminClient, stdin = '', settings = SETTINGS): Promise<Result> {
  return ulvsadm(line.split(' ').filter(Boolean), () => stdin, client, settings);
}

describe('save and restore', () => {
  const random = new Random();
  const one = <T>(...of: T[]): T => random.pick(of);
  const key = (): string =>
    one(
      () => `-t 10.0.0.${random.below(9)}:${1 + random.below(9)}`,
      () => `-u [2001:db8::${random.below(9)}]:${1 + random.below(9)}`,
      () => `--sctp-service 10.0.1.${random.below(9)}:9`,
      // Marks whose order ipvsadm's 32-bit comparison still gets right.
      () => `-f ${one(1, 2, 3, 3000000000)}${one('', ' -6')}`,
    )();
  const words = (): string =>
    `${one('-s rr', '-s wlc', '-s sh -b sh-port', '-s mh -b mh-port,mh-fallback', '-s lc -b flag-2')} ${one('', '-p', '-p 99 --pe sip')}`;
  const forward = (): string =>
    one(
      '-m',
      '-g -w 0',
      '-i',
      '-i --tun-type gue --tun-port 9 --tun-csum',
      '-i --tun-type gre --tun-nocsum',
      '-m -w 70000',
    );
  const rip = (service: string): string =>
    service.includes('2001') || service.includes('-6')
      ? `[2001:db8:1::${random.below(9)}]:80`
      : `10.1.0.${random.below(9)}:80`;

  it('-Sn fed to -R gives the same table', async () => {
    for (let round = 0; round < 30; round++) {
      const client = inProcess();
      for (let i = 0; i < 20; i++) {
        const service = key();
        await run(`-A ${service} ${words()}`, client);
        for (let j = 0; j < 4; j++) await run(`-a ${service} -r ${rip(service)} ${forward()}`, client);
      }
      const saved = await run('-Sn', client);
      expect(saved.out.split('\n').length).toBeGreaterThan(20);
      const again = inProcess();
      expect(await run('-R', again, saved.out)).toEqual({ rc: 0, out: '', err: '' });
      for (const listing of ['-Sn', '-Ln', '-Ln --tun-info']) {
        expect(await run(listing, again)).toEqual(await run(listing, client));
      }
    }
  });

  it('-R ignores the word ulvsadm, as ipvsadm ignores its own name', async () => {
    const client = inProcess();
    expect((await run('-R', client, 'ulvsadm -A -t 10.0.0.1:80 -s rr\nipvsadm -A -t 10.0.0.2:80\n')).rc).toBe(0);
    expect((await run('-Sn', client)).out).toBe('-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.2:80 -s wlc\n');
  });
});

describe("ulvsadm's own options and texts", () => {
  it('--json gives listings as data, and is refused with a change', async () => {
    const client = inProcess();
    await run('-A -t 10.0.0.1:80 -s rr', client);
    const listed = JSON.parse((await run('-L', client, '', { ...SETTINGS, json: true })).out) as {
      services: ServiceEntry[];
    };
    expect(listed.services[0]).toMatchObject({ key: { protocol: 6, address: '10.0.0.1', port: 80 }, scheduler: 'rr' });
    expect(await run('-C', client, '', { ...SETTINGS, json: true })).toMatchObject({
      rc: 2,
      err: expect.stringContaining('--json'),
    });
    expect(JSON.parse((await run('-L --timeout', client, '', { ...SETTINGS, json: true })).out)).toEqual({
      timeouts: { tcp: 900, tcpfin: 120, udp: 300 },
    });
  });

  it('--socket and --json may stand anywhere', () => {
    const at = (line: string, environment = {}): object => takeOwnOptions(line.split(' '), environment);
    expect(at('--socket /a -Ln --json')).toEqual({ argv: ['-Ln'], socket: '/a', json: true });
    expect(at('-L --socket=/b -- --json')).toEqual({ argv: ['-L', '--', '--json'], socket: '/b', json: false });
    expect(at('-L', { ULVS_SOCKET: '/c' })).toMatchObject({ socket: '/c' });
    expect(at('-L')).toMatchObject({ socket: defaultSocket() });
    expect(() => at('-L --socket')).toThrow('--socket needs a path');
  });

  it('has its own name in messages', async () => {
    expect(await run('-n', inProcess())).toEqual({
      rc: 255,
      out: '',
      err: "Try `ulvsadm -h' or 'ulvsadm --help' for more information.\n",
    });
    const help = (await run('--help', inProcess())).out;
    expect(help).toContain('  ulvsadm -A|E virtual-service');
    expect(help).toContain('--json');
  });

  it('starts, lists and stops daemons of synchronisation', async () => {
    const client = new InProcessDirector(parseConfig('devices: [{ name: eth0 }]', 'director.yaml'), () => {});
    const words = '--mcast-interface eth0 --syncid 3 --mcast-group 239.1.2.3 --mcast-port 99 --mcast-ttl 4';
    expect(await run(`--start-daemon backup ${words}`, client)).toEqual({ rc: 0, out: '', err: '' });
    expect(await run(`--start-daemon backup ${words}`, client)).toMatchObject({
      rc: 255,
      err: 'Daemon has already run\n',
    });
    expect((await run('--start-daemon master --mcast-interface eth9', client)).err).toBe('No such device\n');
    const line = 'backup sync daemon (mcast=eth0, syncid=3, maxlen=1472, group=239.1.2.3, port=99, ttl=4)\n';
    expect((await run('-L --daemon', client)).out).toBe(line);
    expect(await run('--stop-daemon backup', client)).toEqual({ rc: 0, out: '', err: '' });
    expect(await run('--stop-daemon backup', client)).toMatchObject({ rc: 255, err: 'No daemon is running\n' });
  });

  it('tell how to start a director if none runs', async () => {
    const client = new SocketClient('/nowhere/ulvs.sock');
    const { rc, err } = await run('-Ln', client);
    expect(rc).toBe(2);
    expect(err).toBe(
      'ulvsadm: no director is listening on /nowhere/ulvs.sock (start one with `ulvs run -c director.yaml`, or name its socket with --socket)\n',
    );
  });

  it('print marks of 2^31 and more as ipvsadm does, but save them unsigned', async () => {
    const client = inProcess();
    await run('-A -f 4294967295', client);
    expect((await run('-Ln', client)).out).toContain('\nFWM  -1 wlc\n');
    expect((await run('-Sn', client)).out).toBe('-A -f 4294967295 -s wlc\n');
  });
});

describe('names', () => {
  it('reads services(5): first name of a port, aliases for look-up', () => {
    const names = offlineNames(new PortNames('http 80/tcp www # web\nx 80/tcp\n# y 81/tcp\nbad\n'));
    expect([names.portName(80, 6), names.portNumber('www', 6), names.portNumber('x', 6)]).toEqual(['http', 80, 80]);
    expect([names.portName(81, 6), names.portName(80, 17), names.portNumber('http', 0)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('any command line', () => {
  const WORDS = [
    '-A',
    '-a',
    '-L',
    '-R',
    '-S',
    '-E',
    '-d',
    '-Z',
    '--set',
    '-t',
    '-u',
    '-f',
    '-6',
    '-s',
    '-p',
    '-M',
    '-r',
    '-m',
    '-i',
  ];
  const MORE = [
    '-w',
    '-x',
    '-b',
    '-c',
    '-n',
    '--',
    '-',
    '=',
    '',
    '[',
    '[::1]:80',
    '1.2.3.4:80',
    '::',
    ':',
    '-1',
    '1e9',
    '0x1.2',
    '\0',
    'ü',
  ];
  const OTHERS = [
    '--pe',
    '--tun-type',
    'gue',
    '--tun-port',
    '-ssh',
    '-bsh-port',
    '--start-daemon',
    'master',
    '--stats',
    '-Lnc',
    '-L=',
    '--x=',
    ',',
  ];
  const ALL = [...WORDS, ...MORE, ...OTHERS, '__proto__', 'constructor', '--constructor', '-b', 'toString'];

  it('ends with an exit code and never throws', async () => {
    const random = new Random();
    const client = inProcess();
    for (let round = 0; round < 20_000; round++) {
      const argv = Array.from({ length: 1 + random.below(7) }, () => random.pick(ALL));
      const stdin = Array.from({ length: random.below(9) }, () => random.pick(ALL)).join(random.pick([' ', '\n']));
      const { rc, err } = await ulvsadm(argv, () => stdin, client, SETTINGS);
      expect([0, 1, 2, 255], argv.join(' ')).toContain(rc);
      if (rc !== 0) expect(err, argv.join(' ')).not.toBe('');
    }
  });
});

describe('the table of options', () => {
  it('has each spelling once', () => {
    const rows = OPTIONS.filter(({ id }) => id !== 'list');
    const shorts = rows.flatMap(({ short }) => short ?? []);
    expect(new Set(rows.map(({ long }) => long)).size).toBe(rows.length);
    expect(new Set(shorts).size).toBe(shorts.length);
  });

  it.each(ROWS.map(({ long }) => [long]))('--%s is in the help of ulvsadm', (long) => {
    expect(help('ulvsadm')).toMatch(new RegExp(`^ +--${long}\\b`, 'm'));
  });

  it('uses every name of the checks', () => {
    const used = new Set(ROWS.flatMap(({ name }) => name ?? []));
    expect(OPTION_NAMES.filter((name) => !used.has(name))).toEqual([]);
  });

  it.each([...SERVICE_OPTIONS, ...SERVER_OPTIONS].map((row) => [row.long, row] as const))(
    '--%s is legal with its commands and with no others',
    (_, { name }) => {
      const legal = Object.entries(LEGAL).filter(([, { optional = [] }]) => optional.includes(name!));
      const kind = SERVICE_OPTIONS.some((row) => row.name === name) ? 'service' : 'server';
      expect(legal.map(([command]) => command)).toEqual([`add-${kind}`, `edit-${kind}`]);
    },
  );
});
