/**
 * Random scenarios. A seed gives rules, clients, flags, times and edits. All frames are sent within
 * a few seconds, and the last listing is 200 s later. No timer ends in the interval by which the
 * kernel's timer wheel may be late.
 */
import { Random } from '../../../support/seed.js';
import { ip, type Play, type Scene, VIP } from '../stage.js';

const CLIENTS = ['10.0.0.1', '10.0.0.2', '10.0.0.3'] as const;
const SERVERS = ['192.168.1.11', '192.168.1.12', '10.20.0.11'] as const;
const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'lblc', 'lblcr'] as const;
const FLAGS = ['S', 'S', 'S', 'A', 'A', 'PA', 'FA', 'R', 'RA', 'SA', 'F', 'P'] as const;
const ANSWERS = ['SA', 'SA', 'A', 'PA', 'FA', 'R', 'RA'] as const;
const SYSCTLS = [
  ['conn_reuse_mode', 3],
  ['expire_nodest_conn', 1],
  ['expire_quiescent_template', 1],
  ['sloppy_tcp', 1],
  ['nat_icmp_send', 1],
  ['pmtu_disc', 1],
  ['schedule_icmp', 1],
] as const;

interface Dest {
  readonly server: string;
  readonly port: number;
  readonly method: '-m' | '-g' | '-i';
}
interface Service {
  readonly udp: boolean;
  readonly port: number;
  readonly key: string;
  readonly words: string;
  readonly dests: Dest[];
}

export function randomScene(seed: number): Scene {
  const random = new Random(seed);
  const services = Array.from({ length: 1 + random.below(3) }, (_, i) => service(random, i));
  const sysctl = Object.fromEntries(
    SYSCTLS.filter(() => random.below(3) === 0).map(([name, most]) => [name, random.below(most + 1)]),
  );
  return {
    name: `random-${seed}`,
    about: `Random scenario ${seed}.`,
    rules: services.flatMap(rulesOf),
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    play: (play) => perform(play, random, services),
  };
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)]!;
}

function service(random: Random, i: number): Service {
  const udp = random.below(3) === 0;
  const port = 80 + i;
  const persistent = random.below(4) === 0 ? ` -p ${pick(random, [300, 600])}` : '';
  const mask = persistent !== '' && random.below(3) === 0 ? ' -M 255.255.255.0' : '';
  const ops = udp && persistent === '' && random.below(4) === 0 ? ' -o' : '';
  const dests = SERVERS.filter(() => random.below(4) > 0).map((server) => dest(random, server, port));
  const scheduler = pick(random, SCHEDULERS);
  const hashed = scheduler === 'sh' || scheduler === 'mh';
  const flags = hashed && random.below(2) === 0 ? ` -b ${scheduler}-${pick(random, ['port', 'fallback'])}` : '';
  return {
    udp,
    port,
    key: `${udp ? '-u' : '-t'} ${VIP}:${port}`,
    words: `-s ${scheduler}${flags}${persistent}${mask}${ops}`,
    dests,
  };
}

function dest(random: Random, server: string, port: number): Dest {
  const method = pick(random, ['-m', '-m', '-g', '-i'] as const);
  return { server, port: method === '-m' ? port + 8000 : port, method };
}

function rulesOf({ key, words, dests }: Service): string[] {
  return [
    `-A ${key} ${words}`,
    ...dests.map((one, i) => `-a ${key} ${destWords(one)} -w ${(i * 2) % 3 === 0 ? 1 : 2}`),
  ];
}
function destWords({ server, port, method }: Dest): string {
  return `-r ${server}:${port} ${method}`;
}

function perform(play: Play, random: Random, services: readonly Service[]): void {
  const events = 30 + random.below(40);
  for (let i = 0; i < events; i++) event(play, random, services);
  look(play);
  play.after(random.below(2) === 0 ? 2500 : 3500);
  for (let i = 0; i < 10; i++) event(play, random, services);
  look(play);
  play.after(200_000);
  look(play);
  play.run('ipvsadm -Ln --stats');
}

function look(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.run('ipvsadm -Ln');
}

function event(play: Play, random: Random, services: readonly Service[]): void {
  const one = pick(random, services);
  const what = random.below(20);
  if (what < 11) fromClient(play, random, one);
  else if (what < 16) fromServer(play, random, one);
  else if (what < 17) error(play, random, one);
  else if (what < 19) edit(play, random, one);
  else play.after(100 * random.below(5));
}

function clientPort(random: Random): number {
  return 5000 + random.below(6);
}

function fromClient(play: Play, random: Random, { udp, port }: Service): void {
  const client = pick(random, CLIENTS);
  const sport = clientPort(random);
  const words = { ...(random.below(12) === 0 && { ttl: 1 }), ...(random.below(8) === 0 && { df: false }) };
  const size = random.below(10) === 0 ? 1400 + random.below(60) : random.below(100);
  const flags = pick(random, FLAGS);
  const dport = random.below(15) === 0 ? port + 1 : port;
  play.from(client, (eth) => {
    const packet = ip(eth, client, VIP, words);
    if (udp) return packet.udp({ sport, dport }).payload('u'.repeat(size));
    return packet.tcp({ sport, dport, flags, seq: sport }).payload(flags.includes('P') ? 't'.repeat(size) : '');
  });
}

/** A packet as the destination of some connection might send it; mostly it belongs to one. */
function fromServer(play: Play, random: Random, { udp, dests }: Service): void {
  const one = dests[random.below(Math.max(1, dests.length))];
  if (one === undefined) return;
  const client = pick(random, CLIENTS);
  const dport = clientPort(random);
  const flags = pick(random, ANSWERS);
  const host = one.server.startsWith('10.20.') ? '172.16.0.1' : one.server;
  play.from(host, (eth) => {
    const packet = ip(eth, one.server, client);
    if (udp) return packet.udp({ sport: one.port, dport }).payload('answer');
    return packet.tcp({ sport: one.port, dport, flags, seq: dport });
  });
}

/** An ICMP error of the client's side about a reply. */
function error(play: Play, random: Random, { udp, port }: Service): void {
  const client = pick(random, CLIENTS);
  const dport = clientPort(random);
  const type = pick(random, [3, 11] as const);
  const code = type === 3 ? pick(random, [1, 3]) : 0;
  play.from(client, (eth) => {
    const quoted = ip(ip(eth, client, VIP).icmp({ type, code }), VIP, client, { ttl: 60 });
    return udp
      ? quoted.udp({ sport: port, dport }).payload('x')
      : quoted.tcp({ sport: port, dport, flags: 'A', seq: 1 });
  });
}

function edit(play: Play, random: Random, { key, dests }: Service): void {
  const one = dests[random.below(Math.max(1, dests.length))];
  if (one === undefined) return;
  const what = random.below(4);
  const place = `${key} ${destWords(one)}`;
  if (what < 2) play.run(`ipvsadm -e ${place} -w ${random.below(4)}`);
  else if (what === 2) play.run(`ipvsadm -d ${key} -r ${one.server}:${one.port} 2>&1`);
  else play.run(`ipvsadm -a ${place} -w ${1 + random.below(2)} 2>&1`);
}
