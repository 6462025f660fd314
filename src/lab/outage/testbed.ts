/**
 * The testbed of an outage (network.ts has its drawing): director, client and realservers, each in
 * its namespace. It is recorded like a lab, so that `ulvs lab down --stale` finds what a killed run
 * left behind.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command, inNamespace } from '../../sys/command.js';
import { configPath, socketPath } from '../build/config.js';
import { directorReady } from '../build/lab.js';
import { removeNetwork } from '../build/network.js';
import { isRunning, kill, type Running, saysReady, start, stop, untilReady } from '../build/process.js';
import { type LabState, removeState, saveState } from '../build/state.js';
import { directoryOf, newId, program } from '../names.js';
import { type BedOptions, configOf, type LoadSize, STATE, TCP, UDP } from './config.js';
import { type Group, PERIOD, type Report } from './measure.js';
import {
  addressOf,
  type HostName,
  hostNames,
  type InterfaceName,
  OutageNetwork,
  serverNames,
  VIPS,
} from './network.js';
import { Peer } from './peer.js';
import { Stall } from './stall.js';

const DIRECTOR = 'director';
/** Of the disk of a log: as for mount(8). */
const LOG_SIZE = 'size=1m,nr_inodes=8';

export class OutageBed {
  private readonly state: LabState;
  private readonly network: OutageNetwork;
  /** By realserver. */
  private readonly servers: Peer[] = [];
  private wire: Peer | undefined;
  private client: Peer | undefined;
  private stall: Stall | undefined;
  private successors = 0;
  /** Characters of the log before `markLog`. */
  private marked = 0;

  private constructor(readonly options: BedOptions) {
    const id = newId('outage');
    const { device, method, servers = 1, wires } = options;
    this.network = new OutageNetwork(id, method, servers, wires !== undefined);
    const namespaces = hostNames(servers).map((host) => this.network.namespace(host));
    this.state = { id, topology: 'outage', device, owner: process.pid, namespaces, processes: [] };
  }

  /** Builds the testbed and starts everything but the client's load. Rejects with a LabError. */
  static async build(options: BedOptions): Promise<OutageBed> {
    const bed = new OutageBed(options);
    try {
      mkdirSync(directoryOf(bed.state.id), { recursive: true, mode: 0o700 });
      saveState(bed.state);
      if (options.smallLog) await bed.mountLog();
      await bed.network.build();
      if (options.wires !== undefined) await bed.startWire(options.wires);
      for (const [i, name] of serverNames(options.servers ?? 1).entries()) {
        if (options.method === 'tun') await bed.startDecapsulator(name);
        await bed.startServer(i);
      }
      bed.writeConfig(configOf(options, bed.socket, directoryOf(bed.state.id)));
      await bed.startDirector();
      return bed;
    } catch (error) {
      await bed.remove();
      throw error;
    }
  }

  namespace(host: HostName): string {
    return this.network.namespace(host);
  }

  /** Path of the director's log. */
  get log(): string {
    return `${this.logFolder}/director.log`;
  }

  markLog(): void {
    this.marked = readFileSync(this.log, 'utf8').length;
  }

  /** What the director has logged since `markLog`, or since it was started anew after that. */
  get logged(): string {
    return readFileSync(this.log, 'utf8').slice(this.marked);
  }

  get logFolder(): string {
    return `${directoryOf(this.state.id)}${this.options.smallLog ? '/log' : ''}`;
  }

  /** Path of director.yaml, which ends with its rules. */
  get config(): string {
    return configPath(this.state.id);
  }

  /** Replaces director.yaml, which nobody sees half-written. */
  writeConfig(text: string): void {
    writeFileSync(`${this.config}.new`, text);
    renameSync(`${this.config}.new`, this.config);
  }

  /** Folder of the director's state. */
  get stateFolder(): string {
    return `${directoryOf(this.state.id)}/${STATE}`;
  }

  get socket(): string {
    return socketPath(this.state.id);
  }

  /** Measures the director's stalls until the testbed is removed. Throws a SystemError. */
  watchStalls(): Stall {
    const { to, from } = this.network.passages;
    this.stall = new Stall(this.namespace('switch'), to, from);
    return this.stall;
  }

  /** Makes an interface of the director, with its address, on its bridge. */
  plug(name: InterfaceName): Promise<void> {
    return this.network.plug(name);
  }

  private async mountLog(): Promise<void> {
    mkdirSync(this.logFolder);
    await command('mount', ['-t', 'tmpfs', '-o', LOG_SIZE, 'ulvs-lab', this.logFolder]);
  }

  private async startDecapsulator(host: HostName): Promise<void> {
    const words = [process.execPath, program('lab/programs/decapsulator.js'), 'tunl9', 'tunl9x'];
    const log = `${directoryOf(this.state.id)}/${host}-decap.log`;
    const running = start('decapsulator', this.namespace(host), log, words);
    this.track(running);
    await untilReady(running, () => saysReady(running));
  }

  private async startWire(seed: number): Promise<void> {
    const words = [program('lab/programs/impaired-wire.js'), `${seed}`, ...this.network.wireEnds];
    this.wire = new Peer('the wire', this.namespace('switch'), words);
    await this.wire.line();
  }

  /** Tells the program that is the wires. */
  async orderWire(order: object): Promise<void> {
    await this.wire!.ask(JSON.stringify(order));
  }

  /** Starts realserver number `i`. */
  async startServer(i: number): Promise<void> {
    const name = serverNames(i + 1)[i]!;
    const addresses = this.options.method === 'nat' ? [addressOf(i)] : VIPS;
    const pace = `${this.options.pace ?? PERIOD}`;
    const words = [program('lab/programs/outage-server.js'), `${TCP}`, `${UDP}`, pace, ...addresses];
    const server = new Peer(name, this.namespace(name), words);
    this.servers[i] = server;
    await server.line();
  }

  /** Sends a signal to realserver number `i`. */
  signalServer(i: number, signal: NodeJS.Signals): void {
    this.servers[i]!.signal(signal);
  }

  /**
   * Kills the director with SIGKILL; resolves when all its threads have ended. Until then its
   * socket still takes connections.
   */
  async killDirector(): Promise<void> {
    const running = this.director;
    kill([running]);
    while (existsSync(`/proc/${running.pid}`)) await sleep(1);
    this.state.processes.splice(this.state.processes.indexOf(running), 1);
  }

  /** Starts a director; resolves when it is up. */
  async startDirector(...more: readonly string[]): Promise<Running> {
    const { preload } = this.options;
    const loaded = preload === undefined ? [] : ['--import', program(preload)];
    const words = [process.execPath, ...loaded, program('cli/main.js'), 'run', '-c', this.config, ...more];
    const running = start(DIRECTOR, this.namespace('director'), this.log, words);
    this.marked = 0;
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

  /** The director that runs. */
  get director(): Running {
    return this.state.processes.find(({ what }) => what.startsWith(DIRECTOR))!;
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

  /** Starts the load; resolves when every download flows. */
  async load({ again, ...size }: LoadSize): Promise<void> {
    const groups: Group[] = [
      { name: 'eth0', from: '10.1.0.1', vip: VIPS[0], tcp: TCP, udp: UDP, ...size },
      { name: 'eth1', from: '10.3.0.1', vip: VIPS[1], tcp: TCP, udp: UDP, ...size, ...(again && { again }) },
    ];
    const words = [program('lab/programs/outage-client.js'), JSON.stringify(groups)];
    this.client = new Peer('the client', this.namespace('client'), words);
    await this.client.line();
  }

  /** Gives lines to `ulvsadm -R`. Resolves with the time it took, ms. Rejects with a LabError. */
  async restore(lines: readonly string[]): Promise<number> {
    const file = `${directoryOf(this.state.id)}/restore`;
    writeFileSync(file, `${lines.join('\n')}\n`);
    const begin = performance.now();
    await this.run('director', `${process.execPath} ${program('cli/ulvsadm.js')} --socket ${this.socket} -R < ${file}`);
    return performance.now() - begin;
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
    this.stall?.close();
    const peers = [this.client, ...this.servers, this.wire].filter((peer) => peer !== undefined);
    await Promise.all(peers.map((peer) => peer.stop()));
    await stop(this.state.processes);
    await removeNetwork(this.state.namespaces);
    // Lazily: the last thread of a process may still have its log open.
    if (this.options.smallLog) await command('umount', ['-l', this.logFolder]).catch(() => {});
    removeState(this.state.id);
  }
}
