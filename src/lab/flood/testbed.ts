/**
 * The testbed of a flood: three namespaces connected by veths alone. A TAP gets a bridge to its
 * wire.
 *
 *     client: eth0 ═ flood ═► eth0 :director: eth1 ═► eth0 :realserver, the sink        wire0 ─ br0 ─ eth0 (TAP)
 *        10.0.0.1/24     10.0.0.254/24    192.168.1.254/24  192.168.1.11/24
 *
 * It is recorded like a lab, so that `ulvs lab down --stale` finds what a killed run left behind.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { kindOf, kindsWith } from '../../device/kinds.js';
import { command, inNamespace, ipBatch } from '../../sys/command.js';
import { configPath, socketPath } from '../build/config.js';
import { directorReady } from '../build/lab.js';
import { enablePolling, removeNetwork, tapPort } from '../build/network.js';
import { type Running, start, stop } from '../build/process.js';
import { type LabState, removeState, saveState } from '../build/state.js';
import { directoryOf, namespaceOf, newId, program } from '../names.js';
import type { LabDevice } from '../topology.js';
import { forwarderPrefix, preferInScheduler } from './cpu-placement.js';
import type { Endpoints } from './endpoints.js';
import type { Kind, Target } from './frame.js';

export const METHODS = { nat: '-m', dr: '-g', tun: '-i' } as const;
export type MethodName = keyof typeof METHODS;

export const CLIENT_MAC = '02:00:00:00:0c:00';
export const DIRECTOR_MACS = ['02:00:00:00:0d:00', '02:00:00:00:0d:01'] as const;
export const REALSERVER_MAC = '02:00:00:00:b1:00';
export const VIP = '10.0.0.100';
export const RIP = '192.168.1.11';
const CIP = '10.0.0.1';
const VPORT = 80;
const RPORT = 8080;
const ADDRESSES = ['10.0.0.254/24', '192.168.1.254/24'] as const;
const SYSCTLS = [
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
];
const HOSTS = ['client', 'director', 'realserver'] as const;
type HostName = (typeof HOSTS)[number];
/**
 * Not the index of the other end. Linux takes a veth whose ends have the same index for a NIC
 * (linkwatch_urgent_event) and tells a bridge of its carrier up to a second later.
 */
const CLIENT_INDEX = 100;
const MOST_CONNECTIONS = 2 ** 24;
const LEAST_CONNECTIONS = 2 ** 20;

export interface DirectorOptions {
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly kind: Kind;
  /** The number of flows; the connection table has room for all. */
  readonly flows: number;
  /** Its XDP programs forward established connections; the hosts' devices take their frames. */
  readonly offload?: boolean;
  /** Its worker has real-time priority. */
  readonly realtime?: boolean;
}

export class Testbed {
  private readonly state: LabState;

  private constructor(private readonly tap: boolean) {
    const id = newId('flood');
    const namespaces = HOSTS.map((host) => namespaceOf(id, host));
    this.state = {
      id,
      topology: 'flood',
      device: kindsWith(({ needs }) => (needs === '/dev/net/tun') === tap)[0]!,
      owner: process.pid,
      namespaces,
      processes: [],
    };
  }

  /** Builds the testbed. If it throws a LabError, everything is removed again. */
  static async build({ tap }: { tap: boolean }): Promise<Testbed> {
    const testbed = new Testbed(tap);
    try {
      testbed.record();
      await testbed.network();
      return testbed;
    } catch (error) {
      await testbed.remove();
      throw error;
    }
  }

  namespace(host: HostName): string {
    return namespaceOf(this.state.id, host);
  }

  get socket(): string {
    return socketPath(this.state.id);
  }

  /** The path of a file in the testbed's folder, which is removed with the testbed. */
  file(name: string): string {
    return `${directoryOf(this.state.id)}/${name}`;
  }

  get endpoints(): Endpoints {
    const target: Target = { srcMac: CLIENT_MAC, dstMac: DIRECTOR_MACS[0], vip: VIP, port: VPORT };
    const sinks = [{ namespace: this.namespace('realserver'), device: 'eth0' }];
    return { client: { namespace: this.namespace('client'), device: 'eth0' }, target, sinks };
  }

  /** Replies of the realserver to the clients, counted at the client. */
  get replies(): Endpoints {
    const target: Target = { srcMac: REALSERVER_MAC, dstMac: DIRECTOR_MACS[1], vip: RIP, port: RPORT };
    const sinks = [{ namespace: this.namespace('client'), device: 'eth0' }];
    return { client: { namespace: this.namespace('realserver'), device: 'eth0' }, target, sinks };
  }

  /** The devices of both hosts take frames that XDP programs redirect to them. */
  async takeRedirected(): Promise<void> {
    for (const host of ['client', 'realserver'] as const) await enablePolling(this.namespace(host), 'eth0');
  }

  private async network(): Promise<void> {
    for (const host of HOSTS) await command('ip', ['netns', 'add', this.namespace(host)]);
    for (const host of HOSTS) await inNamespace(this.namespace(host), 'sysctl', '-qw', ...SYSCTLS);
    const [client, director, realserver] = HOSTS.map((host) => this.namespace(host)) as [string, string, string];
    const far = this.tap ? ['wire0', 'wire1'] : ['eth0', 'eth1'];
    const mac = (i: 0 | 1) => (this.tap ? '' : `address ${DIRECTOR_MACS[i]}`);
    await ipBatch(client, [
      `link add eth0 index ${CLIENT_INDEX} address ${CLIENT_MAC} type veth peer name ${far[0]} ${mac(0)} netns ${director}`,
      `address add ${CIP}/24 dev eth0`,
      'link set eth0 up',
    ]);
    await ipBatch(realserver, [
      `link add eth0 address ${REALSERVER_MAC} type veth peer name ${far[1]} ${mac(1)} netns ${director}`,
      `address add ${RIP}/24 dev eth0`,
      'link set eth0 up',
    ]);
    await ipBatch(director, this.tap ? ADDRESSES.flatMap((_, i) => tapPort({ dev: `eth${i}` }, i)) : directorSetup());
    for (const device of far) await enablePolling(director, device);
  }

  private record(): void {
    mkdirSync(directoryOf(this.state.id), { recursive: true, mode: 0o700 });
    saveState(this.state);
  }

  /** Starts a program on the forwarder's CPUs. It runs until `stop` or `remove`. */
  start(what: string, host: HostName, words: readonly string[]): Running {
    const running = start(what, this.namespace(host), this.file(`${what}.log`), [...forwarderPrefix(), ...words]);
    this.state.processes.push(running);
    this.record();
    preferInScheduler(running.pid);
    return running;
  }

  async stop(running: Running): Promise<void> {
    await stop([running]);
    this.state.processes.splice(this.state.processes.indexOf(running), 1);
    this.record();
  }

  /** Starts a director with `ulvs run`, as users do. Resolves when it is up. */
  async director(options: DirectorOptions): Promise<Running> {
    if (options.offload) await this.takeRedirected();
    return this.directorOf(configOf(options, this.socket));
  }

  /** The same, with this text as its director.yaml. */
  async directorOf(text: string): Promise<Running> {
    const config = configPath(this.state.id);
    writeFileSync(config, text);
    const words = [process.execPath, program('cli/main.js'), 'run', '-c', config];
    const running = this.start('director', 'director', words);
    await directorReady(this.state, running);
    return running;
  }

  async remove(): Promise<void> {
    await stop(this.state.processes);
    await removeNetwork(this.state.namespaces);
    removeState(this.state.id);
  }
}

function directorSetup(): string[] {
  return [
    ...ADDRESSES.flatMap((address, i) => [`address add ${address} dev eth${i}`, `link set eth${i} up`]),
    `neighbour replace ${RIP} lladdr ${REALSERVER_MAC} dev eth1 nud permanent`,
    `neighbour replace ${CIP} lladdr ${CLIENT_MAC} dev eth0 nud permanent`,
    `route add 198.18.0.0/16 via ${CIP} dev eth0`,
  ];
}

function configOf(options: DirectorOptions, socket: string): string {
  const { device, method, kind, flows, offload = false, realtime = false } = options;
  const service = `${kind === 'udp' ? '-u' : '-t'} ${VIP}:${VPORT}`;
  const port = method === 'nat' ? RPORT : VPORT;
  const max = Math.min(MOST_CONNECTIONS, Math.max(LEAST_CONNECTIONS, 2 * flows));
  return [
    `socket: ${socket}`,
    'devices:',
    ...ADDRESSES.map(
      (address, i) => `  - { name: eth${i}, kind: ${device}, mac: "${DIRECTOR_MACS[i]}", addresses: [${address}] }`,
    ),
    ...(kindOf(device).shared ? [] : [`neighbours: [{ ip: ${RIP}, dev: eth1, mac: "${REALSERVER_MAC}" }]`]),
    `connections: { max: ${max} }`,
    ...(offload ? ['offload: auto'] : []),
    ...(realtime ? ['workerPriority: realtime'] : []),
    'rules: |',
    `  -A ${service} -s rr`,
    `  -a ${service} -r ${RIP}:${port} ${METHODS[method]} -w 1`,
    '',
  ].join('\n');
}
