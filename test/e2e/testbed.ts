/**
 * A small live machine: a client with two paths to the director, and real servers behind it. All
 * addresses are on plain interfaces; `director` runs the built `ulvs run`.
 *
 *    client eth0 10.1.0.1 ──── 10.1.0.254 eth0 ┐
 *           eth1 10.3.0.1 ──── 10.3.0.254 eth1 ├ director ─ eth2 10.2.0.254 ──── eth0 10.2.0.11, .12 real servers
 *           lo   10.9.0.1                      ┘
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Namespaces } from '../support/netns.js';

export const DIST = path.resolve(process.env.ULVS_DIST ?? `${import.meta.dirname}/../../dist`);

export class Testbed {
  readonly spaces: Namespaces;
  readonly client: string;
  readonly director: string;
  readonly servers: string;
  readonly folder: string;
  private readonly started: Program[] = [];

  /** `kind` is that of the devices in its configurations. */
  constructor(
    label: string,
    private readonly kind: 'packet' | 'xdp' | 'auto' = 'packet',
  ) {
    this.folder = mkdtempSync(path.join(tmpdir(), `ulvs-${label}-`));
    this.spaces = new Namespaces(label);
    [this.client, this.director, this.servers] = ['c', 'd', 's'].map((letter) => this.spaces.add(letter)) as [
      string,
      string,
      string,
    ];
    this.link(this.client, 'eth0', '10.1.0.1/24', 'eth0', '10.1.0.254/24');
    this.link(this.client, 'eth1', '10.3.0.1/24', 'eth1', '10.3.0.254/24');
    this.link(this.servers, 'eth0', '10.2.0.11/24', 'eth2', '10.2.0.254/24');
    this.run(this.servers, 'ip addr add 10.2.0.12/24 dev eth0; ip route add default via 10.2.0.254');
    this.run(this.client, 'ip addr add 10.9.0.1/32 dev lo; ip route add default via 10.1.0.254');
    this.run(this.client, 'sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0');
    this.run(this.client, 'sysctl -qw net.ipv4.conf.eth1.rp_filter=0');
  }

  /** A veth with one end in `space` and the other in the director's namespace. */
  private link(space: string, name: string, address: string, there: string, thereAddress: string): void {
    this.run(space, `ip link add ${name} type veth peer name ${there} netns ${this.director}`);
    this.run(space, `ip addr add ${address} dev ${name}; ip link set ${name} up`);
    this.run(this.director, `ip addr add ${thereAddress} dev ${there}; ip link set ${there} up`);
  }

  run(space: string, line: string): string {
    return this.spaces.run(space, line);
  }

  /** Runs a command line without throwing; returns both output streams. */
  try(space: string, line: string): string {
    try {
      return this.run(space, `${line} 2>&1`);
    } catch (error) {
      return (error as { stdout: string }).stdout;
    }
  }

  /** Writes a file into the testbed's folder; returns its path. */
  file(name: string, text: string, mode = 0o644): string {
    const file = path.join(this.folder, name);
    writeFileSync(file, text, { mode });
    return file;
  }

  get socket(): string {
    return path.join(this.folder, 'run', 'ulvs.sock');
  }

  /**
   * Writes a configuration of the director's three interfaces and this socket. VIPs are on no
   * interface.
   */
  config(name: string, { rules = '', more = '' }: { rules?: string; more?: string } = {}): string {
    const lines = rules
      .trim()
      .split('\n')
      .map((line) => `  ${line.trim()}`);
    const devices = ['eth0', 'eth1', 'eth2'].map((dev) => `  - { name: ${dev}, kind: ${this.kind} }`);
    const accept = 'accept: { arp: true }';
    const text = [
      `socket: ${this.socket}`,
      'devices:',
      ...devices,
      accept,
      more,
      rules && 'rules: |',
      ...(rules ? lines : []),
    ];
    return this.file(name, `${text.join('\n')}\n`);
  }

  /** Starts `ulvs WORDS` in the director's namespace. */
  ulvs(words: readonly string[], prefix: readonly string[] = []): Program {
    return this.start(this.director, [...prefix, process.execPath, `${DIST}/cli/main.js`, ...words]);
  }

  /** Starts a director; resolves when it is up. */
  async up(...words: string[]): Promise<Program> {
    const program = this.ulvs(['run', ...words]);
    await program.says('director is up');
    return program;
  }

  /** Runs `ulvsadm WORDS` with this testbed's socket. */
  async ulvsadm(words: string, input = ''): Promise<{ code: number | null; out: string; err: string }> {
    const argv = [process.execPath, `${DIST}/cli/ulvsadm.js`, '--socket', this.socket, ...words.split(' ')];
    return this.start(this.director, argv, input).ended;
  }

  start(space: string, argv: readonly string[], input?: string): Program {
    const program = new Program(['ip', 'netns', 'exec', space, ...argv], input);
    this.started.push(program);
    return program;
  }

  /** Starts a Node.js script in `space`; resolves once it has printed `ready`. */
  async serve(space: string, script: string): Promise<Program> {
    const program = this.start(space, [process.execPath, '-e', script]);
    await program.says('ready');
    return program;
  }

  /** What a director might leave behind in its namespace: nft rules, interfaces, sockets. */
  traces(): string {
    const run = path.dirname(this.socket);
    const files = (() => {
      try {
        return readdirSync(run).join(' ');
      } catch {
        return '';
      }
    })();
    return [
      this.run(this.director, 'nft list ruleset'),
      this.run(this.director, 'ip -br link | cut -d" " -f1'),
      files,
    ].join('\n');
  }

  /** Kills all programs. What comes next finds only their files. */
  async killAll(): Promise<void> {
    const programs = this.started.splice(0);
    for (const program of programs) program.kill('SIGKILL');
    await Promise.all(programs.map(({ ended }) => ended));
  }

  async remove(): Promise<void> {
    await this.killAll();
    this.spaces.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface Ended {
  code: number | null;
  out: string;
  err: string;
}

export class Program {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor([command, ...args]: readonly string[], input?: string) {
    this.child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdout!.on('data', (chunk) => (this.out += chunk));
    this.child.stderr!.on('data', (chunk) => (this.err += chunk));
    this.child.stdin!.on('error', () => {});
    this.child.stdin!.end(input ?? '');
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => resolve({ code, out: this.out, err: this.err }));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /**
   * Waits at most 60 s for `text` in the output: on a busy machine the start of Node.js alone takes
   * 10. Throws an Error with the output if the program ends first.
   */
  async says(text: string | RegExp, from = 0): Promise<void> {
    const said = () => (this.out + this.err).slice(from);
    for (const end = Date.now() + 60_000; Date.now() < end; ) {
      if (typeof text === 'string' ? said().includes(text) : text.test(said())) return;
      if (this.child.exitCode !== null) break;
      await sleep(10);
    }
    throw new Error(`it did not say ${text}: ${said()}`);
  }
}

/** Waits at most 30 s until `holds` is true; returns whether it is. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<boolean> {
  for (let i = 0; i < 600; i++) {
    if (await holds()) return true;
    await sleep(50);
  }
  return false;
}
