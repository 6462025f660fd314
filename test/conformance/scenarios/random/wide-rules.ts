/**
 * Services, destinations and edits of the wide random scenarios, with all options that ipvsadm has
 * for them.
 */
import type { Random } from '../../../support/seed.js';
import { type Scene, VIP, VIP6 } from '../stage.js';

export type Protocol = 'tcp' | 'udp' | 'sctp';
type Method = '-m' | '-g' | '-i';

export interface Dest {
  readonly address: string;
  /** 0: the packet's own. */
  readonly port: number;
  readonly method: Method;
  /** Of a tunnel: type and options. */
  readonly tunnel: string;
}
export interface Service {
  readonly six: boolean;
  readonly protocol: Protocol;
  /** Ports that belong to it; more than one of a mark or of port 0. */
  readonly ports: readonly number[];
  /** How ipvsadm names it: `-t 10.0.0.100:80`. */
  readonly key: string;
  readonly dests: readonly Dest[];
  readonly marked: boolean;
}

const LETTERS: Readonly<Record<Protocol, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' };
const SERVERS = ['192.168.1.11', '192.168.1.12', '10.20.0.11'];
const SERVERS6 = ['2001:db8:1::11', '2001:db8:1::12'];
const SCHEDULERS = ['rr', 'wrr', 'lc', 'wlc', 'sh', 'dh', 'sed', 'nq', 'fo', 'ovf', 'mh', 'lblc', 'lblcr'];
const TUNNELS = [
  '',
  '',
  ' --tun-type gue --tun-port 6080 --tun-nocsum',
  ' --tun-type gue --tun-port 6080 --tun-csum',
  ' --tun-type gue --tun-port 6080 --tun-remcsum',
  ' --tun-type gre --tun-nocsum',
  ' --tun-type gre --tun-csum',
];

/** The `i`th service. `families`: which of them the scene has. */
export function someService(random: Random, i: number, families: readonly boolean[], mark?: Scene['mark']): Service {
  const six = mark === undefined && random.pick(families);
  const protocol = mark === undefined ? random.pick<Protocol>(['tcp', 'tcp', 'udp', 'sctp']) : markedProtocol(mark);
  const many = mark !== undefined || random.below(8) === 0;
  const port = 80 + i;
  const address = six ? `[${VIP6}]` : VIP;
  const key = mark === undefined ? `${LETTERS[protocol]} ${address}:${many ? 0 : port}` : `-f ${mark.mark}`;
  const servers = six ? SERVERS6 : SERVERS;
  const dests = servers
    .filter(() => random.below(5) > 0)
    .map((server) => someDest(random, server, many ? 0 : port, families.length > 1))
    .filter(({ address }, i, all) => all.findIndex((one) => one.address === address) === i);
  const ports = many ? [90, 91, 92] : [port];
  return { six, protocol, ports, key, dests, marked: mark !== undefined };
}

function markedProtocol(mark: NonNullable<Scene['mark']>): Protocol {
  return mark.words.includes('-p udp') ? 'udp' : 'tcp';
}

function someDest(random: Random, server: string, port: number, both: boolean): Dest {
  const method = random.pick<Method>(['-m', '-m', '-g', '-i', '-i']);
  const other = both && method === '-i' && random.below(3) === 0;
  const address = other ? random.pick(server.includes(':') ? SERVERS : SERVERS6) : server;
  return {
    address,
    port: method === '-m' && port !== 0 ? port + 8000 : port,
    method,
    tunnel: method === '-i' ? random.pick(TUNNELS) : '',
  };
}

export function rulesOf(random: Random, service: Service): string[] {
  return [
    `-A ${service.key} ${serviceWords(random, service)}`,
    ...service.dests.map((dest) => `-a ${service.key} ${destWords(dest)} -w ${random.below(9) % 4}${limits(random)}`),
  ];
}

/** Scheduler, its flags, persistence, one-packet scheduling. */
export function serviceWords(random: Random, { key, six, protocol }: Service): string {
  const scheduler = random.pick(SCHEDULERS);
  const hashed = scheduler === 'sh' || scheduler === 'mh';
  const flags = hashed ? random.pick(['', ` -b ${scheduler}-port`, ` -b ${scheduler}-fallback`, both(scheduler)]) : '';
  const persistent = key.endsWith(':0') || random.below(3) === 0;
  const mask =
    random.below(2) === 0 ? '' : ` -M ${random.pick(six ? ['64', '112'] : ['255.255.255.0', '255.255.255.254'])}`;
  if (persistent) return `-s ${scheduler}${flags} -p ${random.pick([300, 600])}${mask}`;
  return `-s ${scheduler}${flags}${protocol === 'udp' && random.below(4) === 0 ? ' -o' : ''}`;
}
function both(scheduler: string): string {
  return ` -b ${scheduler}-port,${scheduler}-fallback`;
}

function limits(random: Random): string {
  if (random.below(4) > 0) return '';
  const upper = random.between(2, 6);
  return ` -x ${upper}${random.bool() ? ` -y ${random.below(upper)}` : ''}`;
}

function place({ address, port }: Dest): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return port === 0 && host === address ? `-r ${host}` : `-r ${host}:${port}`;
}
function destWords(dest: Dest): string {
  return `${place(dest)} ${dest.method}${dest.tunnel}`;
}

/** One command that changes rules while traffic flows; what cannot be done fails alike. */
export function someEdit(random: Random, service: Service): string {
  const { key, dests } = service;
  const what = random.below(12);
  const dest = dests.length === 0 ? undefined : random.pick(dests);
  const command = (words: string) => `ipvsadm ${words} 2>&1`;
  if (what === 0) return command(`-E ${key} ${serviceWords(random, service)}`);
  if (what === 1) return command(`-A ${key} ${serviceWords(random, service)}`);
  if (what === 2) return command(random.pick(['--set 1000 40 15', '--set 0 0 300']));
  if (dest === undefined) return command(`-A ${key} -s rr`);
  if (what < 5) return command(`-d ${key} ${place(dest)}`);
  if (what < 8) return command(`-a ${key} ${destWords(dest)} -w ${random.between(1, 3)}${limits(random)}`);
  return command(`-e ${key} ${destWords(dest)} -w ${random.below(4)}${limits(random)}`);
}
