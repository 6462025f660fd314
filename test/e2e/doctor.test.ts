/**
 * The doctor on a director's machine: it can probe its realservers, but not inspect them. Needs
 * root and dist.
 */
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Finding } from '../../src/doctor/facts.js';
import { socketPath } from '../../src/lab/build/config.js';
import { down, type Lab, stopProgram, up } from '../../src/lab/build/lab.js';
import { namespaceOf, program, SWITCH, switchEnd } from '../../src/lab/names.js';
import { findTopology } from '../../src/lab/topologies/index.js';
import type { LabDevice } from '../../src/lab/topology.js';
import { Capture } from '../../src/lab/watch/capture.js';
import { inNamespace } from '../../src/sys/command.js';
import { withoutXdp } from '../device/xdp/missing.js';
import { DIST, Testbed } from './testbed.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync(program('cli/main.js'))
      ? ''
      : 'needs dist (make build)';
if (reason) console.log(`skipped: ${reason}`);

let lab: Lab | undefined;
afterEach(async () => {
  if (lab) await down(lab);
  lab = undefined;
});

async function start(name: string, device: LabDevice = 'packet'): Promise<Lab> {
  lab = await up(findTopology(name), { device });
  return lab;
}

/** The output of the doctor; the last line is its exit code. */
async function doctor({ id }: Lab, ...words: string[]): Promise<string> {
  const command = [process.execPath, program('cli/main.js'), 'doctor', '--socket', socketPath(id), ...words];
  const script = '"$@"; echo "exit $?"';
  return (await inNamespace(namespaceOf(id, 'director'), 'sh', '-c', script, 'sh', ...command)).stdout;
}

async function findings(one: Lab): Promise<Finding[]> {
  return JSON.parse((await doctor(one, '--json')).replace(/exit \d\n$/, '')) as Finding[];
}

/** Starts a realserver for HTTP. */
const serveHttp = (testbed: Testbed) =>
  testbed.serve(
    testbed.servers,
    "require('http').createServer((q, a) => a.end('x')).listen(8080, () => console.log('ready'))",
  );

const inside = ({ id }: Lab, host: string, ...words: string[]) => inNamespace(namespaceOf(id, host), ...words);

describe.skipIf(reason !== '')("on a director's machine the doctor", { timeout: 90_000 }, () => {
  it('finds each DR realserver reachable, filtered, refused, or without an ARP answer', async () => {
    const dr = await start('dr');
    const healthy = await doctor(dr);
    expect(healthy.match(/gatewaying +reachable +SYN-ACK after/g)).toHaveLength(3);
    expect(healthy).toContain('3 of 3 SYNs answered by 192.168.1.11, 192.168.1.12, 192.168.1.13');
    expect(healthy).toMatch(/\nhealthy: 2 services, 1 host inspected\nexit 0\n$/);
    await inside(dr, 'rs1', 'ip', 'address', 'del', '192.168.1.110/32', 'dev', 'lo');
    await stopProgram(dr, 'rs2');
    await inside(dr, 'rs3', 'ip', 'link', 'set', 'eth0', 'down');
    const sick = await findings(dr);
    const ofTcp = sick.filter(({ wrong }) => wrong.includes('-t 192.168.1.110:80'));
    expect(Object.fromEntries(ofTcp.map(({ host, id }) => [host, id]))).toEqual({
      '192.168.1.11': 'probe-filtered',
      '192.168.1.12': 'probe-refused',
      '192.168.1.13': 'probe-no-arp-answer',
    });
    const [filtered] = ofTcp.filter(({ host }) => host.endsWith('.11'));
    expect(filtered!.fix[0]).toMatch(/^ip address add 192\.168\.1\.110\/32 dev lo +# on 192\.168\.1\.11/);
    expect(filtered!.fix.at(-1)).toMatch(
      /^(ulvsadm|node \S+\/dist\/cli\/ulvsadm\.js) -e -t 192\.168\.1\.110:80 -r 192\.168\.1\.11:80 -g -w 0/,
    );
  });

  it('sends nothing with --no-probe', async () => {
    const dr = await start('dr-one-network');
    const capture = await Capture.start(dr, SWITCH, switchEnd('director', 'eth0'), 'in', 'arp or tcp');
    const text = await doctor(dr, '--no-probe');
    expect(text).toContain('nothing was sent: --no-probe\n');
    expect(text).toMatch(/exit 0\n$/);
    expect((await capture.count()).count).toBe(0);
  });

  it('finds a NAT realserver with another gateway over IPv6, and leaves no connection', async () => {
    const nat = await start('ipv6-nat');
    expect(await findings(nat)).toEqual([]);
    await inside(nat, 'rs2', 'ip', 'route', 'replace', 'default', 'via', '2001:db8:2::13', 'dev', 'eth0');
    const found = await findings(nat);
    expect(found.map(({ id, host }) => [id, host])).toEqual([['gateway-not-director', '2001:db8:2::12']]);
    const { stdout } = await inside(nat, 'rs1', 'ss', '-Htn', 'state', 'syn-recv');
    expect(stdout).toBe('');
  });

  it('finds a Tun realserver that does not decapsulate', async () => {
    const tun = await start('tun');
    await stopProgram(tun, 'rs1-decapsulator');
    const found = await findings(tun);
    expect(found.map(({ id, host }) => [id, host])).toEqual([['probe-no-tunnel-endpoint', '172.16.1.11']]);
  });

  it('refuses a director of another network namespace, and names the command for it', async () => {
    const testbed = new Testbed('elsewhere');
    try {
      await testbed.up('-c', testbed.config('director.yaml'));
      const words = [process.execPath, `${DIST}/cli/main.js`, 'doctor', '--socket', testbed.socket];
      const { code, err } = await testbed.start(testbed.client, words).ended;
      expect(code).toBe(2);
      expect(err).toMatch(
        /^ulvs: the director on \S+ is in another network namespace; run 'nsenter -t \d+ -n \S.* doctor --socket/,
      );
      const line = /'(nsenter [^']+)'/.exec(err)![1]!;
      const there = await testbed.start(testbed.client, ['sh', '-c', line]).ended;
      expect(there.out).toContain('healthy: 0 services, 1 host inspected');
    } finally {
      await testbed.remove();
    }
  });

  it('works with a director that was started with rule lines alone', async () => {
    const testbed = new Testbed('rules');
    try {
      testbed.run(testbed.director, 'ip addr add 10.1.0.100/32 dev eth0');
      await serveHttp(testbed);
      const rules = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m\n';
      await testbed.up('--rules', testbed.file('some.rules', rules), '--device', 'packet', '--socket', testbed.socket);
      const { code, out, err } = await testbed.ulvs(['doctor', '--socket', testbed.socket]).ended;
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/-t 10\.1\.0\.100:80 +10\.2\.0\.11:8080 +masq +reachable[\s\S]*\nhealthy: 1 service,/);
    } finally {
      await testbed.remove();
    }
  });

  it('has no fault to tell of a service with a SYN proxy, whose answers it does not see', async () => {
    const testbed = new Testbed('synp');
    try {
      testbed.run(testbed.director, 'ip addr add 10.1.0.100/32 dev eth0');
      await serveHttp(testbed);
      const rules = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m';
      const more = 'serviceOptions: [{ service: -t 10.1.0.100:80, synproxy: on }]';
      await testbed.up('-c', testbed.config('synp.yaml', { rules, more }));
      const { code, out } = await testbed.ulvs(['doctor', '--socket', testbed.socket]).ended;
      expect(out).toMatch(/through the director +SYN proxy +not known/);
      expect({ code, out }).toMatchObject({ code: 0, out: expect.stringMatching(/\nhealthy: 1 service,/) });
    } finally {
      await testbed.remove();
    }
  });

  it('knows that nobody answers ARP for a VIP, and the routes of a TAP director', { timeout: 60_000 }, async () => {
    const testbed = new Testbed('calm');
    const director = async (name: string, lines: string) => {
      const running = await testbed.up('-c', testbed.file(name, `socket: ${testbed.socket}\nstate: none\n${lines}`));
      const { code, out } = await testbed.ulvs(['doctor', '--no-probe', '--socket', testbed.socket]).ended;
      running.kill('SIGTERM');
      await running.ended;
      return { code, out };
    };
    try {
      const rules = 'rules: |\n  -A -t 10.1.0.100:80 -s rr\n  -a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m\n';
      const silent = await director('silent.yaml', `devices: [{ name: eth0, kind: packet }]\n${rules}`);
      expect(silent.code).toBe(1);
      expect(silent.out).toContain('nobody answers ARP for the VIP 10.1.0.100');

      const tap = 'devices: [{ name: tap7, kind: tap, addresses: [10.5.0.254/24] }]\naccept: { arp: true }\n';
      const route = 'routes: [{ to: default, via: 10.5.0.1, dev: tap7 }]\n';
      const tun = 'rules: |\n  -A -t 10.5.0.100:80 -s rr\n  -a -t 10.5.0.100:80 -r 172.16.1.11:80 -i\n';
      expect(await director('tap.yaml', `${tap}${route}${tun}`)).toMatchObject({ code: 0 });
    } finally {
      await testbed.remove();
    }
  });

  it.skipIf(withoutXdp !== '')(
    'probes the return path of NAT realservers over xdp only if the VIP is on an interface',
    async () => {
      const testbed = new Testbed('xdoc', 'xdp');
      try {
        await serveHttp(testbed);
        const rules = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:8080 -m';
        await testbed.up('-c', testbed.config('xdoc.yaml', { rules }));
        const ask = () => testbed.ulvs(['doctor', '--socket', testbed.socket]).ended;
        const unseen = await ask();
        expect(unseen.out).toMatch(
          /\n {2}not probed: whether replies of NAT realservers pass .*\(eth2 is xdp, .*\)\n\nhealthy/,
        );
        testbed.run(testbed.director, 'ip addr add 10.1.0.100/32 dev eth0');
        const well = await ask();
        expect(well.out).not.toContain('not probed');
        expect(well).toMatchObject({ code: 0, err: '' });
        testbed.run(testbed.servers, 'ip route replace default via 10.2.0.99');
        const ill = await ask();
        expect(ill.out).toContain("10.2.0.11's replies to clients do not pass the director");
        expect(ill.code).toBe(1);
      } finally {
        await testbed.remove();
      }
    },
  );
});
