/** Debian's ipvsadm under `ulvs exec`, beside ulvsadm and beside what it said on a real kernel. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SocketClient } from '../../../src/control/api/client.js';
import { isRoot } from '../../support/netns.js';
import { ExecBed } from './bed.js';

if (!isRoot) console.log('exec: skipped, needs root for namespaces');

/** Every kind of service and destination that the kernel has. */
const EVERYTHING = `-A -t 10.1.0.100:80 -s wrr -p 300 -M 255.255.255.0
-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m -w 3 -x 100 -y 50
-a -t 10.1.0.100:80 -r 10.2.0.12:8080 -g -w 0
-a -t 10.1.0.100:80 -r 10.2.0.13:80 -i --tun-type gue --tun-port 6080 --tun-remcsum
-a -t 10.1.0.100:80 -r 10.2.0.14:80 -i --tun-type gre --tun-csum
-a -t 10.1.0.100:80 -r 10.2.0.15:80 -i
-A -u 10.1.0.100:53 -s rr -o
-a -u 10.1.0.100:53 -r 10.2.0.11:53 -m
-A -u 10.1.0.101:5060 -s sh -b sh-fallback,sh-port -p 60 --pe sip
-A --sctp-service 10.1.0.100:3868 -s lc
-a --sctp-service 10.1.0.100:3868 -r 10.2.0.11:3868 -m -w 65535
-A -f 7 -s mh -b mh-fallback,mh-port
-a -f 7 -r 10.2.0.11:0 -g
-A -f 2147483647 -s wlc
-A -f 7 -6 -s lblcr
-a -f 7 -6 -r [2001:db8:1::11]:0 -g
-A -t [2001:db8::100]:443 -s mh -b mh-port -p 3600 -M 64
-a -t [2001:db8::100]:443 -r [2001:db8:1::11]:443 -m
-a -t [2001:db8::100]:443 -r 10.2.0.16:443 -i
-A -t [2001:db8::101]:0 -s sed -p
`;
const LISTINGS = [
  '-Ln',
  '-Ln --stats',
  '-Ln --rate',
  '-Ln --thresholds',
  '-Ln --persistent-conn',
  '-Ln --exact --stats',
  '-Ln --sort',
  '-Ln --nosort -t 10.1.0.100:80',
  '-Ln -f 7 -6',
  '-Ln -t [2001:db8::100]:443 --stats',
  '-L --timeout',
  '-L --daemon',
  '-Sn',
  '-Lnc',
  '-Ln -t 10.1.0.222:80',
];
const RECORDED =
  process.env.ULVS_RECORDED === 'all' ? ['words', 'options', 'destinations', 'restore', 'random'] : ['restore'];

describe.skipIf(!isRoot)('ipvsadm under ulvs exec', () => {
  let bed: ExecBed;
  beforeAll(async () => {
    bed = new ExecBed('xadm');
    await bed.up('-c', bed.config('empty.yaml'));
  });
  afterAll(() => bed.remove());
  beforeEach(async () => {
    const client = new SocketClient(bed.socket);
    await client.request({ op: 'flush' });
    await client.request({ op: 'setTimeouts', timeouts: { tcp: 900, tcpfin: 120, udp: 300 } });
    client.close();
  });

  /** Each line of arguments by ipvsadm; what it printed and returned. */
  async function ipvsadm(lines: readonly string[], variables: readonly string[] = []): Promise<string[]> {
    const script = lines.map((line) => `ipvsadm ${line}; echo "rc $?#"`).join('\n');
    return (await bed.shell(script, { variables })).split('#\n').slice(0, -1);
  }
  async function byUlvsadm(line: string): Promise<string> {
    const { out, rc } = await bed.admin(line);
    return `${out}rc ${rc}`;
  }

  it('lists a table that it has made, byte for byte as ulvsadm does', async () => {
    expect(await bed.shell('ipvsadm -R', { input: EVERYTHING })).toBe('');
    const theirs = await ipvsadm(LISTINGS);
    for (const [i, line] of LISTINGS.entries())
      expect({ line, said: theirs[i] }).toEqual({ line, said: await byUlvsadm(line) });
    expect(theirs[12]!.split('\n')).toHaveLength(EVERYTHING.split('\n').length);
  });

  it('restores what it has saved', async () => {
    await bed.ulvsadm('-R', EVERYTHING);
    const said = await bed.shell('ipvsadm -Sn > $F; ipvsadm -C; ipvsadm -R < $F; ipvsadm -Sn | cmp - $F && echo same', {
      variables: [`F=${bed.folder}/saved`],
    });
    expect(said).toBe('same\n');
  });

  it('lists the IPv4 part over socket options as ulvsadm does', async () => {
    const old = EVERYTHING.split('\n').filter((line) => !/\[|-6|sctp|tun-type|--pe/.test(line));
    await bed.ulvsadm('-R', old.join('\n'));
    const lines = LISTINGS.filter((line) => !/\[|-6|Lnc/.test(line));
    const theirs = await ipvsadm(lines, ['ULVS_EXEC_NO_NETLINK=1']);
    for (const [i, line] of lines.entries())
      expect({ line, said: theirs[i] }).toEqual({ line, said: await byUlvsadm(line) });
  });

  it('makes every change over socket options', async () => {
    const lines = [
      '-A -t 10.1.0.100:80 -s wrr -p 60',
      '-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 2',
      '-e -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 9 -x 7 -y 3',
      '-E -t 10.1.0.100:80 -s lc',
      '-A -t 10.1.0.100:80 -s rr',
      '-d -t 10.1.0.100:80 -r 10.2.0.99:80',
      '-A -f 9',
      '-D -f 9',
      '-D -f 9',
      '-Z',
      '-Z -t 10.1.0.100:80',
      '--set 1000 100 200',
      '--start-daemon master --mcast-interface lo',
      '--stop-daemon master',
      '-A -t [2001:db8::1]:80',
    ];
    const said = await ipvsadm(lines, ['ULVS_EXEC_NO_NETLINK=1']);
    expect(said.map((one, i) => `${lines[i]}: ${one.replace('\n', ' ')}`)).toMatchInlineSnapshot(`
      [
        "-A -t 10.1.0.100:80 -s wrr -p 60: rc 0",
        "-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 2: rc 0",
        "-e -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 9 -x 7 -y 3: rc 0",
        "-E -t 10.1.0.100:80 -s lc: rc 0",
        "-A -t 10.1.0.100:80 -s rr: Service already exists rc 255",
        "-d -t 10.1.0.100:80 -r 10.2.0.99:80: No such destination rc 255",
        "-A -f 9: rc 0",
        "-D -f 9: rc 0",
        "-D -f 9: No such service rc 255",
        "-Z: rc 0",
        "-Z -t 10.1.0.100:80: rc 0",
        "--set 1000 100 200: rc 0",
        "--start-daemon master --mcast-interface lo: rc 0",
        "--stop-daemon master: rc 0",
        "-A -t [2001:db8::1]:80: Operation not supported with specified address family rc 255",
      ]
    `);
    expect((await bed.ulvsadm('-Sn')).out).toBe(
      '-A -t 10.1.0.100:80 -s lc\n-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m -w 9\n',
    );
  });

  it.each(RECORDED)('answers the recorded lines of %s as on a real kernel', async (name) => {
    const recorded = readFileSync(new URL(`../../ulvsadm/recorded/${name}.jsonl`, import.meta.url), 'utf8');
    const { out, err } = await bed.runExec(['python3', '-c', PLAY], { input: recorded });
    expect(err).toBe('');
    expect(out.trimEnd().split('\n').filter(Boolean)).toEqual([]);
  });
});

/** Runs each recorded line; prints those whose exit code or output differ. ulvs has no sync daemons. */
const PLAY = `
import json, subprocess, sys
for row in map(json.loads, sys.stdin.readlines()):
    done = subprocess.run(row["cmd"], shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if "-daemon" in row["cmd"]: continue
    if (done.returncode, done.stdout) != (row["rc"], row["out"]):
        print(json.dumps({"cmd": row["cmd"], "ours": [done.returncode, done.stdout], "theirs": [row["rc"], row["out"]]}))
`;
