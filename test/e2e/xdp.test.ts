/**
 * `ulvs run` over XDP on a live machine: the kernel does not see the director's packets but sees
 * all others, also while rules, addresses and MACs change. However the director ends, no XDP
 * program remains.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withoutXdp } from '../device/xdp/missing.js';
import { type Program, Testbed, until } from './testbed.js';

const VIP = '10.1.0.100';
const SHARED = '10.1.0.150';
const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 10.2.0.11:8080 -m
-a -t ${VIP}:80 -r 10.2.0.12:8080 -m`;

/** A server that sends its name to each client. */
const greeter = (port: number, name: string) =>
  `require('net').createServer((s) => s.on('error', () => {}).end('${name}')).listen(${port}, () => console.log('ready'))`;

/** Connects and prints what it receives. */
const hear = (host: string, port: number, localPort = 0) =>
  `node -e "const s = require('net').connect({ host: '${host}', port: ${port}, localPort: ${localPort} });
   s.setTimeout(2000, () => { console.log('silence'); s.destroy(); });
   s.on('data', (d) => process.stdout.write(d)).on('error', (e) => console.log(e.code))"`;

describe.skipIf(withoutXdp !== '')('a director over XDP', () => {
  let testbed: Testbed;
  let config: string;
  let program: Program;

  beforeAll(async () => {
    testbed = new Testbed('xdp', 'auto');
    testbed.run(testbed.director, `ip addr add ${SHARED}/32 dev eth0`);
    await testbed.serve(testbed.servers, greeter(8080, 'balanced'));
    await testbed.serve(testbed.director, greeter(2222, 'host'));
    config = testbed.config('xdp.yaml', { rules: RULES });
  });
  afterEach(async () => {
    program.kill('SIGTERM');
    await program.ended;
  });
  afterAll(() => testbed.remove());

  const from = (port: number, address = VIP) => testbed.try(testbed.client, hear(address, port));
  /** The director's interfaces with an XDP program. */
  const attached = () =>
    [...testbed.run(testbed.director, 'ip link').matchAll(/(eth\d).* xdp /g)].map(([, name]) => name);

  /** What the log says after `words`, with these words. */
  const linesAbout = (words: string) => program.err.match(new RegExp(`${words}[^"\\n]*`, 'g'));

  it('is chosen by auto, with a program on each interface and no nft rules', async () => {
    program = await testbed.up('-c', config);
    for (const dev of ['eth0', 'eth1', 'eth2'])
      expect(linesAbout(`${dev}: using`)).toEqual([`${dev}: using xdp (native, copy mode)`]);
    expect(attached()).toEqual(['eth0', 'eth1', 'eth2']);
    // The table is there for other directors to see, and has no rule.
    expect(testbed.run(testbed.director, 'nft list ruleset')).not.toContain('drop');
    expect([from(80), from(80)]).toEqual(['balanced', 'balanced']);
    // The kernel has not seen these packets: it has no neighbour that only the director uses, and
    // sent no RST.
    expect(testbed.run(testbed.director, 'nstat -az TcpOutRsts')).toMatch(/TcpOutRsts +0 /);
    expect(from(2222, '10.1.0.254')).toBe('host');
    for (const address of [VIP, '10.1.0.254'])
      expect(testbed.try(testbed.client, `ping -c3 -i0.05 -W2 ${address}`)).toContain('3 received');
  });

  it('applies rules at once; other ports of the address stay with the host', async () => {
    program = await testbed.up('-c', config);
    expect(from(80, SHARED)).toBe('ECONNREFUSED\n');
    await testbed.ulvsadm(`-A -t ${SHARED}:80 -s rr`);
    await testbed.ulvsadm(`-a -t ${SHARED}:80 -r 10.2.0.11:8080 -m`);
    expect(from(80, SHARED)).toBe('balanced');
    expect(from(2222, SHARED)).toBe('host');
    expect(testbed.try(testbed.client, `ping -c3 -i0.05 -W2 ${SHARED}`)).toContain('3 received');
    await testbed.ulvsadm(`-D -t ${SHARED}:80`);
    expect(from(80, SHARED)).toBe('ECONNREFUSED\n');
    expect(from(80)).toBe('balanced');
  });

  it('shares an address once the host gets it, until the host loses it', async () => {
    program = await testbed.up('-c', config);
    expect(from(2222)).toBe('ECONNREFUSED\n');
    testbed.run(testbed.director, `ip addr add ${VIP}/32 dev lo`);
    expect(await until(() => from(2222) === 'host')).toBe(true);
    expect(from(80)).toBe('balanced');
    testbed.run(testbed.director, `ip addr del ${VIP}/32 dev lo`);
    expect(await until(() => from(2222) === 'ECONNREFUSED\n')).toBe(true);
    expect(from(80)).toBe('balanced');
  });

  it('returns packets of no connection to the host', async () => {
    program = await testbed.up('-c', config);
    // A realserver connects to the director itself, from the port of its service.
    testbed.run(testbed.servers, 'ip addr add 10.2.0.13/24 dev eth0');
    await testbed.ulvsadm(`-a -t ${VIP}:80 -r 10.2.0.13:5555 -m -w 0`);
    const local = hear('10.2.0.254', 2222, 5555).replace('localPort', "localAddress: '10.2.0.13', localPort");
    expect(testbed.try(testbed.servers, local)).toBe('host');
  });

  it('works on when an interface gets another MAC', async () => {
    program = await testbed.up('-c', config);
    const before = testbed.run(testbed.director, 'cat /sys/class/net/eth0/address').trim();
    for (const mac of ['02:00:00:00:66:66', before]) {
      testbed.run(testbed.director, `ip link set eth0 address ${mac}`);
      testbed.run(testbed.client, 'ip neigh flush dev eth0');
      expect(await until(() => from(80) === 'balanced')).toBe(true);
      expect(from(2222, '10.1.0.254')).toBe('host');
    }
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves no program at %s, and the next director starts', async (signal) => {
    program = await testbed.up('-c', config);
    expect(from(80)).toBe('balanced');
    program.kill(signal);
    expect((await program.ended).code).toBe(signal === 'SIGTERM' ? 0 : null);
    expect(await until(() => attached().length === 0)).toBe(true);
    expect(testbed.run(testbed.director, 'ip -d link')).not.toMatch(/prog\/xdp|allmulti [1-9]/);
    expect(from(2222, '10.1.0.254')).toBe('host');
    program = await testbed.up('-c', config);
    expect(from(80)).toBe('balanced');
  });

  it('refuses an interface that has a program already', async () => {
    program = await testbed.up('-c', config);
    const second = testbed.ulvs([
      'run',
      '-c',
      testbed.config('second.yaml', { rules: RULES }),
      '--device',
      'xdp',
      '--socket',
      `${testbed.folder}/2.sock`,
    ]);
    const { code, err, out } = await second.ended;
    expect({ code, said: err + out }).toEqual({
      code: 2,
      said: expect.stringMatching(/eth0: already in use|eth0: it has an XDP program/),
    });
    expect(from(80)).toBe('balanced');
  });

  it('is named in the log of a second director, which auto gives other devices', async () => {
    program = await testbed.up('-c', config);
    const rules = '-A -t 10.1.0.101:80 -s rr';
    const second = await testbed.up(
      ...['-c', testbed.config('second.yaml', { rules }), '--socket', `${testbed.folder}/2.sock`],
    );
    second.kill('SIGTERM');
    const { err } = await second.ended;
    expect(err).toContain('eth0: using packet');
    expect(err).toContain(`another director (pid ${program.child.pid}) runs in this network namespace`);
    expect(program.err).not.toContain('another director');
    expect(from(80)).toBe('balanced');
  });
});
