/**
 * The tools of users, in the labs: ping and a TCP transfer find the path MTU of a tunnel,
 * traceroute counts hops, iperf3 transfers over IPv6 in both directions. Needs root.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { down, type Lab, track, up } from '../../src/lab/build/lab.js';
import { type Running, start, untilReady } from '../../src/lab/build/process.js';
import { directoryOf, namespaceOf } from '../../src/lab/names.js';
import { dr } from '../../src/lab/topologies/dr.js';
import { ipv6Dr } from '../../src/lab/topologies/ipv6-dr.js';
import { ipv6Nat } from '../../src/lab/topologies/ipv6-nat.js';
import { nat } from '../../src/lab/topologies/nat.js';
import { tun } from '../../src/lab/topologies/tun.js';
import { addressOf, hostOf, type LabDevice, type Topology } from '../../src/lab/topology.js';
import { command } from '../../src/sys/command.js';
import { withoutXdp } from '../device/xdp/missing.js';

const reason = process.getuid?.() !== 0 ? 'needs root for namespaces' : '';
if (reason) console.log(`skipped: ${reason}`);

const NIC: LabDevice = withoutXdp === '' ? 'xdp' : 'packet';
const IPERF = 5201;

/**
 * Brings up a lab for the tests of the surrounding `describe`, with further rules. With rules for
 * iperf3 the realserver runs it, before the first test: a second try of a test finds it as the first did.
 */
function laboratory(topology: Topology, device: LabDevice, rules: readonly string[] = []) {
  let lab: Lab | undefined;
  let server: Running | undefined;
  beforeAll(async () => {
    lab = await up({ ...topology, rules: [...topology.rules, ...rules] }, { device });
    if (rules.length > 0) server = iperfServer(lab);
  });
  afterAll(async () => {
    if (lab) await down(lab);
  });
  return {
    vip: topology.vips[0]!,
    /** Both output streams, whatever the exit code. */
    run: async (host: string, line: string): Promise<string> => {
      const words = ['netns', 'exec', namespaceOf(lab!.id, host), 'sh', '-c', `${line} 2>&1 || true`];
      return (await command('ip', words)).stdout;
    },
    /** After each transfer iperf3 closes its socket and opens another; whoever comes between is reset. */
    iperfListens: () => {
      const listens = () => /Server listening.*\n-+\n$/.test(readFileSync(server!.log, 'utf8'));
      return untilReady(server!, listens);
    },
  };
}
type Site = ReturnType<typeof laboratory>;

function iperfServer(lab: Lab): Running {
  const log = `${directoryOf(lab.id)}/iperf3.log`;
  const server = start('iperf3', namespaceOf(lab.id, 'rs1'), log, ['iperf3', '-s', '--forceflush']);
  track(lab, server);
  return server;
}

function iperfRules(topology: Topology, method: string): string[] {
  const [vip, rip] = [topology.vips[0]!, addressOf(hostOf(topology, 'realserver'))].map((address) =>
    address.includes(':') ? `[${address}]` : address,
  );
  return [`-A -t ${vip}:${IPERF} -s rr`, `-a -t ${vip}:${IPERF} -r ${rip}:${IPERF} ${method}`];
}

/** Megabytes that arrived within a second. */
async function iperf(site: Site, ...options: string[]): Promise<number> {
  await site.iperfListens();
  const said = await site.run('client', `iperf3 -J -t 1 -c ${site.vip} ${options.join(' ')}`);
  const { error, end } = JSON.parse(said) as { error?: string; end: { sum_received?: { bytes: number } } };
  expect(error).toBeUndefined();
  return (end.sum_received?.bytes ?? 0) / 1e6;
}

describe.skipIf(reason !== '').each([NIC, 'tap'] as const)('the path MTU of a tunnel, over %s', (device) => {
  const site = laboratory(tun, device, iperfRules(tun, '-i'));
  const ping = (size: number) => site.run('client', `ping -n -c 1 -W 2 -M do -s ${size - 28} ${site.vip}`);
  const mtu = async () => /\bmtu (\d+)/.exec(await site.run('client', `ip route get ${site.vip}`))?.[1];

  it('is found by a TCP transfer, and ping reports it', { timeout: 20_000 }, async () => {
    await site.run('client', 'ip route flush cache'); // what a former try learned
    // The director itself answers pings: they do not pass the tunnel until the client has learned
    // its MTU.
    expect(await ping(1500)).toContain('1 received');
    expect(await mtu()).toBeUndefined();
    expect(await iperf(site)).toBeGreaterThan(1);
    expect(await mtu()).toBe('1480');
    expect(await ping(1500)).toContain('message too long, mtu=1480');
    expect(await ping(1480)).toContain('1 received');
  });

  it('is found from an ICMP error of a router on the path', { timeout: 20_000 }, async () => {
    await site.run('router', 'ip link set eth2 mtu 1400');
    await site.run('client', 'ip route flush cache');
    expect(await iperf(site)).toBeGreaterThan(1);
    expect(await mtu()).toBe('1380');
    expect(await ping(1480)).toContain('message too long, mtu=1380');
    expect(await ping(1380)).toContain('1 received');
  });
});

/** The addresses that answered, one for each hop. */
async function traceroute(site: Site, host: string, to: string, options = ''): Promise<string[]> {
  const said = await site.run(host, `traceroute -n -q 1 -w 2 -m 6 ${options} ${to}`);
  return said
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/)[1]!);
}

/**
 * The director sends ICMP errors about a packet to the VIP as the VIP, as the kernel's IPVS does
 * (recorded in test/conformance, ttl-*). So the VIP appears twice: for the director and for the
 * realserver. It appears once in answers of the director itself.
 */
describe.skipIf(reason !== '').each([NIC, 'tap'] as const)('traceroute through LVS-NAT over %s', (device) => {
  const site = laboratory(nat, device);
  const { vip } = site;

  it.each([
    ['TCP to the service', '-T -p 80', [vip, vip]],
    ['UDP to the service', '-U -p 7', [vip, vip]],
    ['ICMP', '-I', [vip]],
    ['UDP to a port without a service', '', [vip]],
  ])('by %s', async (_, options, hops) => {
    expect(await traceroute(site, 'client', vip, options)).toEqual(hops);
  });

  it('from a realserver to the client', async () => {
    const [rs, client] = (['realserver', 'client'] as const).map((role) => addressOf(hostOf(nat, role)));
    await site.run('client', `ip route add ${rs} via 10.0.0.254`);
    // Over shared devices the host is the router, and may be one that does not forward.
    if (device !== 'tap') await site.run('director', 'sysctl -qw net.ipv4.ip_forward=1');
    expect(await traceroute(site, 'rs1', client!)).toEqual(['192.168.1.254', client]);
  });
});

describe.skipIf(reason !== '')('traceroute past a router and LVS-DR', () => {
  const site = laboratory(dr, NIC);

  it('has the director between the router and the realserver', async () => {
    expect(await traceroute(site, 'client', site.vip, '-T -p 80')).toEqual(['10.0.0.254', site.vip, site.vip]);
  });
});

describe.skipIf(reason !== '').each([
  ['LVS-NAT', ipv6Nat, '-m'],
  ['LVS-DR', ipv6Dr, '-g'],
] as const)('iperf3 over IPv6 by %s', (_, topology, method) => {
  const site = laboratory(topology, NIC, iperfRules(topology, method));

  it('goes both ways', { timeout: 20_000 }, async () => {
    expect(await iperf(site)).toBeGreaterThan(1);
    expect(await iperf(site, '-R')).toBeGreaterThan(1);
  });
});
