/** Faults of LVS-NAT (HOWTO chapter 5). */
import { configPath, socketPath } from '../config.js';
import { halt, type Lab, restart } from '../lab.js';
import { namespaceOf } from '../names.js';
import { addressOf, bare, endpoint, hostOf, isSix, realservers, servers } from '../topology.js';
import { type Fault, inside, isAddress, ofSocket } from './fault.js';
import { type Quick, requests } from './quick.js';

const REDIRECTING = ['ip_forward', 'conf.all.send_redirects', 'conf.eth0.send_redirects'];

async function secondPath(lab: Lab): Promise<void> {
  const cip = addressOf(hostOf(lab.spec, 'client'));
  const [near, far] = isSix(lab.spec) ? ['fd00:99::1', 'fd00:99::2'] : ['10.99.0.1', '10.99.0.2'];
  const [link, host] = isSix(lab.spec) ? [64, 128] : [30, 32];
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

/** The realserver's own traffic to the client is what makes the director's kernel tell it of the short way. */
async function redirects(lab: Lab): Promise<void> {
  await inside(lab, 'director', `sysctl -qw ${REDIRECTING.map((name) => `net.ipv4.${name}=1`).join(' ')}`);
  await inside(lab, 'rs1', `ping -c 2 -i 0.2 -W 1 ${addressOf(hostOf(lab.spec, 'client'))} || true`);
}

async function quiesce(lab: Lab): Promise<void> {
  const service = `-t ${endpoint(lab.spec.vips[0]!, lab.spec.httpPort)}`;
  await ofSocket(socketPath(lab.id), `-E ${service} -s rr -p 300`);
  const [name] = await requests(lab, 1);
  const server = servers(lab.spec).find((one) => one.name === name)!;
  await ofSocket(socketPath(lab.id), `-e ${service} -r ${endpoint(server.rip, server.http)} -m -w 0`);
}

/** Nobody is sent to a destination of weight 0. */
async function avoidsQuiesced(lab: Lab): Promise<Quick> {
  const list = await ofSocket(socketPath(lab.id), '-Ln');
  const rows = list
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => words[0] === '->' && words[3] === '0');
  const quiesced = servers(lab.spec).filter(({ rip }) => rows.some((words) => isAddress(words[1]!, rip)));
  const answers = await requests(lab, 3);
  const wrong = answers.filter((name) => name === '' || quiesced.some((one) => one.name === name)).length;
  return { ok: wrong === 0, figure: `${wrong} of 3 by a quiesced one` };
}

function reweigh(lab: Lab): Promise<unknown> {
  const { vips, httpPort } = lab.spec;
  const each = servers(lab.spec).map(
    ({ rip, http }) => `-e -t ${endpoint(vips[0]!, httpPort)} -r ${endpoint(rip, http)} -m -w 0`,
  );
  return Promise.all(each.map((words) => ofSocket(socketPath(lab.id), words)));
}

export const natFaults: readonly Fault[] = [
  {
    name: 'gateway',
    title: "a realserver's default gateway is not the director",
    topology: 'nat',
    also: ['ipv6-nat'],
    expects: 'gateway-not-director',
    inject: (lab) =>
      inside(lab, 'rs1', `ip route replace default via ${addressOf(realservers(lab.spec)[1]!)} dev eth0`),
  },
  {
    name: 'second-path',
    title: 'a second path from realserver to client',
    topology: 'nat',
    also: ['ipv6-nat'],
    expects: 'second-path',
    inject: secondPath,
  },
  {
    name: 'redirects',
    title: 'ICMP redirects on, one network',
    topology: 'nat-one-network',
    expects: 'redirects',
    inject: redirects,
  },
  {
    name: 'not-listening',
    title: 'the service does not listen',
    topology: 'nat',
    also: ['ipv6-nat'],
    expects: 'service-not-listening',
    inject: (lab) => halt(lab, 'rs1'),
  },
  {
    name: 'loopback',
    title: 'the service listens on 127.0.0.1',
    topology: 'nat',
    also: ['ipv6-nat'],
    expects: 'listens-on-loopback',
    inject: (lab) => restart(lab, 'rs1', { addresses: [isSix(lab.spec) ? '::1' : '127.0.0.1'] }),
  },
  {
    name: 'firewall',
    title: 'a firewall drops the replies',
    topology: 'nat',
    also: ['ipv6-nat'],
    expects: 'firewall-drops-replies',
    inject: (lab) =>
      inside(
        lab,
        'rs1',
        "nft -f - <<'END'\ntable inet guard { chain out { type filter hook output priority 0; tcp sport 8080 drop; }; }\nEND",
      ),
  },
  { name: 'weights', title: 'all weights are 0', topology: 'nat', expects: 'all-weights-zero', inject: reweigh },
  {
    name: 'synack-retries',
    title: 'SYN-ACK retries outlive the connection (5.24)',
    topology: 'nat',
    expects: 'synack-outlives-connection',
    inject: (lab) => inside(lab, 'rs1', 'sysctl -qw net.ipv4.tcp_synack_retries=6'),
    silent: 'shows only after a minute of an unanswered handshake',
  },
  {
    name: 'template',
    title: 'a persistence template outlives the quiesced realserver',
    topology: 'nat',
    expects: 'template-outlives-quiesced',
    inject: quiesce,
    works: avoidsQuiesced,
  },
];

/** VIP-less acceptance by mark (HOWTO chapter 24). */
function remark(lab: Lab): Promise<string> {
  const range = lab.spec.ranges![0]!;
  const edit = `sed -i '/^marks:/,/^accept:/ s|-d ${range}|-d 10.77.0.0/24|' ${configPath(lab.id)}`;
  const director = lab.processes.find(({ what }) => what === 'director')!;
  return inside(lab, 'director', `sh -c "${edit} && kill -HUP ${director.pid} && sleep 0.5"`);
}

export const markFaults: readonly Fault[] = [
  {
    name: 'mark-rule',
    title: 'a mark rule never matches',
    topology: 'fwmark',
    expects: 'mark-rule-never-matches',
    inject: remark,
  },
  {
    name: 'acceptance',
    title: 'an fwmark service whose packets nobody brings to the director',
    topology: 'fwmark',
    expects: 'fwmark-not-accepted',
    inject: (lab) => inside(lab, 'router', `ip route del ${bare(lab.spec.ranges![0]!)}/24`),
  },
];
