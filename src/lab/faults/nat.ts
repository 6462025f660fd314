/** Faults of LVS-NAT (HOWTO chapter 5). */

import { endpoint } from '../../service/config.js';
import { type Lab, restartProgram, stopProgram } from '../build/lab.js';
import { namespaceOf } from '../names.js';
import { addressOf, addressOfEndpoint, hostOf, realservers, type Server, servers, usesIPv6 } from '../topology.js';
import { ulvsadm } from '../watch/listing.js';
import { type Fault, firewall, inside } from './fault.js';
import { requests, type SmokeResult } from './smoke-test.js';

const REDIRECTING = ['ip_forward', 'conf.all.send_redirects', 'conf.eth0.send_redirects'];

async function secondPath(lab: Lab): Promise<void> {
  const cip = addressOf(hostOf(lab.spec, 'client'));
  const [near, far] = usesIPv6(lab.spec) ? ['fd00:99::1', 'fd00:99::2'] : ['10.99.0.1', '10.99.0.2'];
  const [link, host] = usesIPv6(lab.spec) ? [64, 128] : [30, 32];
  await inside(lab, 'rs1', `ip link add bypass type veth peer name bypass netns ${namespaceOf(lab.id, 'client')}`);
  for (const [name, address] of [
    ['rs1', near],
    ['client', far],
  ] as const) {
    await inside(lab, name, `ip address add ${address}/${link} dev bypass`);
    await inside(lab, name, 'ip link set bypass up');
  }
  await inside(lab, 'rs1', `ip route add ${cip}/${host} via ${far}`);
}

/**
 * The director's kernel sends the redirect because of other traffic of the realserver to the
 * client.
 */
async function redirects(lab: Lab): Promise<void> {
  await inside(lab, 'director', `sysctl -qw ${REDIRECTING.map((name) => `net.ipv4.${name}=1`).join(' ')}`);
  await inside(lab, 'rs1', `ping -c 2 -i 0.2 -W 1 ${addressOf(hostOf(lab.spec, 'client'))} || true`);
}

/** The HTTP service in ulvsadm's options. */
function serviceOf({ spec }: Lab): string[] {
  return ['-t', endpoint(spec.vips[0]!, spec.httpPort)];
}

function quiesce(lab: Lab, { rip, http }: Server): Promise<string> {
  return ulvsadm(lab.id, '-e', ...serviceOf(lab), '-r', endpoint(rip, http), '-m', '-w', '0');
}

async function quiescePersistent(lab: Lab): Promise<void> {
  await ulvsadm(lab.id, '-E', ...serviceOf(lab), '-s', 'rr', '-p', '300');
  const [name] = await requests(lab, 1);
  await quiesce(lab, servers(lab.spec).find((server) => server.name === name)!);
}

/** No client may be sent to a destination of weight 0. */
async function avoidsQuiesced(lab: Lab): Promise<SmokeResult> {
  const list = await ulvsadm(lab.id, '-Ln');
  const rows = list
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[0] === '->' && words[3] === '0');
  const quiesced = servers(lab.spec).filter(({ rip }) => rows.some((words) => addressOfEndpoint(words[1]!) === rip));
  const answers = await requests(lab, 3);
  const wrong = answers.filter((name) => name === '' || quiesced.some((one) => one.name === name)).length;
  return { ok: wrong === 0, figure: `${wrong} of 3 answered by a quiesced realserver` };
}

function quiesceAll(lab: Lab): Promise<unknown> {
  return Promise.all(servers(lab.spec).map((server) => quiesce(lab, server)));
}

export const natFaults: readonly Fault[] = [
  {
    name: 'gateway',
    title: "a realserver's default gateway is not the director",
    topology: 'nat',
    alsoIn: ['ipv6-nat'],
    expects: 'gateway-not-director',
    inject: (lab) =>
      inside(lab, 'rs1', `ip route replace default via ${addressOf(realservers(lab.spec)[1]!)} dev eth0`),
  },
  {
    name: 'second-path',
    title: 'a realserver has a second path to the client',
    topology: 'nat',
    alsoIn: ['ipv6-nat'],
    expects: 'second-path',
    inject: secondPath,
  },
  {
    name: 'redirects',
    title: 'the director sends ICMP redirects, all in one network',
    topology: 'nat-one-network',
    expects: 'redirects',
    inject: redirects,
  },
  {
    name: 'not-listening',
    title: 'the service does not listen',
    topology: 'nat',
    alsoIn: ['ipv6-nat'],
    expects: 'service-not-listening',
    inject: (lab) => stopProgram(lab, 'rs1'),
  },
  {
    name: 'loopback',
    title: 'the service listens on 127.0.0.1',
    topology: 'nat',
    alsoIn: ['ipv6-nat'],
    expects: 'listens-on-loopback',
    inject: (lab) => restartProgram(lab, 'rs1', { addresses: [usesIPv6(lab.spec) ? '::1' : '127.0.0.1'] }),
  },
  {
    name: 'firewall',
    title: 'a firewall drops the replies',
    topology: 'nat',
    alsoIn: ['ipv6-nat'],
    expects: 'firewall-drops-replies',
    inject: (lab) =>
      firewall(
        lab,
        'rs1',
        'table inet guard { chain out { type filter hook output priority 0; tcp sport 8080 drop; }; }',
      ),
  },
  { name: 'weights', title: 'all weights are 0', topology: 'nat', expects: 'all-weights-zero', inject: quiesceAll },
  {
    name: 'synack-retries',
    title: 'SYN-ACK retries outlive the connection (5.24)',
    topology: 'nat',
    expects: 'synack-outlives-connection',
    inject: (lab) => inside(lab, 'rs1', 'sysctl -qw net.ipv4.tcp_synack_retries=6'),
    untestable: 'shows only after a minute of an unanswered handshake',
  },
  {
    name: 'template',
    title: 'a persistence template outlives the quiesced realserver',
    topology: 'nat',
    expects: 'template-outlives-quiesced',
    inject: quiescePersistent,
    serves: avoidsQuiesced,
  },
];
