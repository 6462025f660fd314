/**
 * The testbed of an outage: a client with two paths to the director, and a realserver. The
 * interfaces of the director hang on bridges, so that they can be deleted alone.
 *
 *     client: eth0 10.1.0.1 ── br0 ── eth0 10.1.0.254 :director: eth2 10.2.0.254 ── br2 ── eth0 10.2.0.11 :server
 *             eth1 10.3.0.1 ── br1 ── eth1 10.3.0.254
 *             eth2 10.4.0.1 ───────────────── replies by DR and Tun ───────────────── eth1 10.4.0.11
 *
 * It is recorded like a lab, so that `ulvs lab down --stale` finds what a killed run left behind.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, inNamespace, ipBatch } from '../../sys/command.js';
import { configPath, socketPath } from '../build/config.js';
import { directorReady } from '../build/lab.js';
import { enablePolling, removeNetwork } from '../build/network.js';
import { isRunning, kill, type Running, start, stop, untilReady } from '../build/process.js';
import { type LabState, removeState, saveState } from '../build/state.js';
import { METHODS, type MethodName } from '../flood/testbed.js';
import { directoryOf, namespaceOf, newId, program } from '../names.js';
import type { LabDevice } from '../topology.js';
import { type Group, PERIOD, type Report } from './measure.js';
import { Peer } from './peer.js';

const HOSTS = ['switch', 'client', 'director', 'server'] as const;
export type HostName = (typeof HOSTS)[number];
const TCP = 8080;
const UDP = 9090;
const VIPS = ['10.1.0.100', '10.3.0.100'] as const;
const ADDRESSES = ['10.1.0.254/24', '10.3.0.254/24', '10.2.0.254/24'] as const;
const RIP = '10.2.0.11';
const BRIDGE = 'type bridge mcast_snooping 0 stp_state 0 forward_delay 0';
const SYSCTLS = [
  'net.ipv6.conf.all.disable_ipv6=1',
  'net.ipv6.conf.default.disable_ipv6=1',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv4.conf.all.arp_ignore=1',
];

const DIRECTOR = 'director';

/** The director's interfaces. */
export const INTERFACES = ['eth0', 'eth1', 'eth2'] as const;
export type InterfaceName = (typeof INTERFACES)[number];

export interface BedOptions {
  readonly device: LabDevice;
  readonly method: MethodName;
  readonly workers?: number;
  /** Time between two blocks of a download, ms. */
  readonly pace?: number;
  /** More lines of director.yaml. */
  readonly more?: string;
}

/** How much the client does, by path. */
export interface LoadSize {
  readonly flows: number;
  readonly downloads: number;
  readonly rate: number;
}

export class OutageBed {
  private readonly state: LabState;
  private readonly peers: Peer[] = [];
  private client: Peer | undefined;
  private successors = 0;

  private constructor(readonly options: BedOptions) {
    const id = newId('outage');
    const namespaces = HOSTS.map((host) => namespaceOf(id, host));
    this.state = { id, topology: 'outage', device: options.device, owner: process.pid, namespaces, processes: [] };
  }

  /** Builds the testbed and starts everything but the client's load. Rejects with a LabError. */
  static async build(options: BedOptions): Promise<OutageBed> {
    const bed = new OutageBed(options);
    try {
      mkdirSync(directoryOf(bed.state.id), { recursive: true, mode: 0o700 });
      saveState(bed.state);
      await bed.network();
      await bed.startServer();
      writeFileSync(bed.config, bed.configText());
      await bed.startDirector();
      return bed;
    } catch (error) {
      await bed.remove();
      throw error;
    }
  }

  namespace(host: HostName): string {
    return namespaceOf(this.state.id, host);
  }

  /** Path of the director's log. */
  get log(): string {
    return `${directoryOf(this.state.id)}/director.log`;
  }

  /** Path of director.yaml, which ends with its rules. */
  get config(): string {
    return configPath(this.state.id);
  }

  get socket(): string {
    return socketPath(this.state.id);
  }

  private async network(): Promise<void> {
    for (const host of HOSTS) await command('ip', ['netns', 'add', this.namespace(host)]);
    for (const host of HOSTS) await inNamespace(this.namespace(host), 'sysctl', '-qw', ...SYSCTLS);
    const bridges = [0, 1, 2].flatMap((i) => [`link add br${i} ${BRIDGE}`, `link set br${i} up`]);
    await ipBatch(this.namespace('switch'), bridges);
    for (const name of INTERFACES) await this.plug(name);
    await this.plugFar('client', 'eth0', 'br0', '10.1.0.1/24');
    await this.plugFar('client', 'eth1', 'br1', '10.3.0.1/24');
    await this.plugFar('server', 'eth0', 'br2', `${RIP}/24`);
    const [client, server] = [this.namespace('client'), this.namespace('server')];
    await ipBatch(client, [
      `link add eth2 type veth peer name eth1 netns ${server}`,
      'address add 10.4.0.1/24 dev eth2',
      'link set eth2 up',
      'link set lo up',
    ]);
    await ipBatch(server, [
      'address add 10.4.0.11/24 dev eth1',
      'link set eth1 up',
      'link set lo up',
      ...this.replies(),
    ]);
    if (this.options.method === 'tun') await this.startDecapsulator();
  }

  /** How the realserver answers, by method. */
  private replies(): string[] {
    const direct = ['10.1.0.0/24', '10.3.0.0/24'].map((net) => `route add ${net} via 10.4.0.1 dev eth1`);
    const vips = VIPS.map((vip) => `address add ${vip}/32 dev lo`);
    if (this.options.method === 'nat') return ['route add default via 10.2.0.254'];
    if (this.options.method === 'dr') return [...vips, ...direct];
    return [...vips, ...direct, 'link add tunl9 type veth peer name tunl9x', 'link set tunl9 up', 'link set tunl9x up'];
  }

  private async startDecapsulator(): Promise<void> {
    const words = [process.execPath, program('lab/programs/decapsulator.js'), 'tunl9', 'tunl9x'];
    this.track(start('decapsulator', this.namespace('server'), `${directoryOf(this.state.id)}/decap.log`, words));
  }

  /** Makes an interface of the director, with its address, on its bridge. */
  async plug(name: InterfaceName): Promise<void> {
    const i = INTERFACES.indexOf(name);
    const far = `d-${name}`;
    const queues = 'numrxqueues 4 numtxqueues 4';
    const hub = this.namespace('switch');
    await ipBatch(hub, [
      `link add ${far} ${queues} type veth peer name new-${name} ${queues} netns ${this.namespace('director')}`,
      `link set ${far} master br${i}`,
      `link set ${far} up`,
    ]);
    // XDP needs a receive queue for each queue by which the other end sends.
    for (const [space, dev] of [
      [hub, far],
      [this.namespace('director'), `new-${name}`],
    ] as const)
      await inNamespace(space, 'ethtool', '-L', dev, 'rx', '1', 'tx', '1');
    await enablePolling(hub, far);
    // Named last: the director attaches an interface as soon as it has its name.
    const up = [`link set new-${name} name ${name}`, `address add ${ADDRESSES[i]} dev ${name}`, `link set ${name} up`];
    await ipBatch(this.namespace('director'), up);
  }

  private async plugFar(host: HostName, dev: string, bridge: string, address: string): Promise<void> {
    const far = `${host[0]}-${dev}`;
    await ipBatch(this.namespace('switch'), [
      `link add ${far} type veth peer name ${dev} netns ${this.namespace(host)}`,
      `link set ${far} master ${bridge}`,
      `link set ${far} up`,
    ]);
    await ipBatch(this.namespace(host), [`address add ${address} dev ${dev}`, `link set ${dev} up`]);
  }

  private async startServer(): Promise<void> {
    const addresses = this.options.method === 'nat' ? [RIP] : VIPS;
    const words = [
      program('lab/programs/outage-server.js'),
      `${TCP}`,
      `${UDP}`,
      `${this.options.pace ?? PERIOD}`,
      ...addresses,
    ];
    const server = new Peer('the realserver', this.namespace('server'), words);
    this.peers.push(server);
    await server.line();
  }

  /**
   * Kills the director with SIGKILL; resolves when all its threads have ended. Until then its
   * socket still takes connections.
   */
  async killDirector(): Promise<void> {
    const running = this.state.processes.find(({ what }) => what === DIRECTOR)!;
    kill([running]);
    while (existsSync(`/proc/${running.pid}`)) await sleep(1);
    this.state.processes.splice(this.state.processes.indexOf(running), 1);
  }

  /** Starts a director; resolves when it is up. */
  async startDirector(...more: readonly string[]): Promise<Running> {
    const words = [process.execPath, program('cli/main.js'), 'run', '-c', this.config, ...more];
    const running = start(DIRECTOR, this.namespace('director'), this.log, words);
    this.track(running);
    await directorReady(this.state, running);
    return running;
  }

  /** Starts a director that takes over from the running one; resolves when that has ended. */
  async successor(): Promise<void> {
    const old = this.director;
    const { running, log } = this.startSuccessor();
    await untilReady(running, () => !isRunning(old) && readFileSync(log, 'utf8').includes('director is up'));
    this.state.processes.splice(this.state.processes.indexOf(old), 1);
    saveState(this.state);
  }

  /** The same, but the successor is killed `ms` after it has begun; one of the two goes on. */
  async killedSuccessor(ms: number): Promise<void> {
    const old = this.director;
    const { running } = this.startSuccessor();
    const begun = () => readFileSync(old.log, 'utf8').includes(`process ${running.pid} takes over`);
    await untilReady(running, begun);
    await sleep(ms);
    process.kill(running.pid, 'SIGKILL');
    while (isRunning(running)) await sleep(5);
    this.state.processes.splice(this.state.processes.indexOf(running), 1);
    saveState(this.state);
  }

  private get director(): Running {
    return this.state.processes.find(({ what }) => what.startsWith('director'))!;
  }

  private startSuccessor(): { running: Running; log: string } {
    const n = this.successors++;
    const words = [process.execPath, program('cli/main.js'), 'run', '-c', this.config, '--takeover'];
    const log = `${directoryOf(this.state.id)}/director-${n}.log`;
    const running = start(`director-${n}`, this.namespace('director'), log, words);
    this.track(running);
    return { running, log };
  }

  /** Paths of the logs of all successors. */
  get successorLogs(): string[] {
    return Array.from({ length: this.successors }, (_, n) => `${directoryOf(this.state.id)}/director-${n}.log`);
  }

  private track(running: Running): void {
    this.state.processes.push(running);
    saveState(this.state);
  }

  private configText(): string {
    const { device, method, workers, more = '' } = this.options;
    const flag = METHODS[method];
    const rules = VIPS.flatMap((vip) => [
      `-A -t ${vip}:${TCP} -s rr`,
      `-a -t ${vip}:${TCP} -r ${RIP}:${TCP} ${flag}`,
      `-A -u ${vip}:${UDP} -s rr`,
      `-a -u ${vip}:${UDP} -r ${RIP}:${UDP} ${flag}`,
    ]);
    return [
      `socket: ${this.socket}`,
      `state: ${directoryOf(this.state.id)}/state`,
      ...(workers === undefined ? [] : [`workers: ${workers}`]),
      'devices:',
      ...INTERFACES.map((name) => `  - { name: ${name}, kind: ${device} }`),
      'accept: { arp: true }',
      more,
      'rules: |',
      ...rules.map((rule) => `  ${rule}`),
      '',
    ].join('\n');
  }

  /** Starts the load; resolves when every download flows. */
  async load(size: LoadSize): Promise<void> {
    const groups: Group[] = [
      { name: 'eth0', from: '10.1.0.1', vip: VIPS[0], tcp: TCP, udp: UDP, ...size },
      { name: 'eth1', from: '10.3.0.1', vip: VIPS[1], tcp: TCP, udp: UDP, ...size },
    ];
    const words = [program('lab/programs/outage-client.js'), JSON.stringify(groups)];
    this.client = new Peer('the client', this.namespace('client'), words);
    this.peers.push(this.client);
    await this.client.line();
  }

  /** What became of the load since the last call: by eth0, by eth1. */
  async report(): Promise<readonly [Report, Report]> {
    return JSON.parse(await this.client!.ask('report')) as [Report, Report];
  }

  /** Ends the load. */
  async endLoad(): Promise<void> {
    await this.client!.stop();
  }

  /** Runs a command line in a namespace. Rejects with a CommandError. */
  async run(host: HostName, words: string): Promise<string> {
    return (await inNamespace(this.namespace(host), 'sh', '-c', words)).stdout;
  }

  async remove(): Promise<void> {
    await Promise.all(this.peers.map((peer) => peer.stop()));
    await stop(this.state.processes);
    await removeNetwork(this.state.namespaces);
    removeState(this.state.id);
  }
}
