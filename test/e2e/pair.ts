/**
 * A client, a director that shares its packet devices with the host, and a server, each in its
 * namespace:
 *
 *     client 10.0.0.1, 2001:db8::1 ── eth0 [director .254, VIP .100 ::100] eth1 ── server 192.168.1.11, 2001:db8:1::11
 *
 * 10.0.0.100 and 2001:db8::100 are on an interface of the host and shared with it; no interface has
 * 10.0.0.101.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from '../../src/lab/names.js';

export const VIPS = ['10.0.0.100', '10.0.0.101', '2001:db8::100'];
type Who = 'client' | 'director' | 'server';

export class Pair {
  readonly home = mkdtempSync(join(tmpdir(), 'ulvs-pair-'));
  private readonly children: ChildProcess[] = [];
  private readonly id = `ulvs-pair-${process.pid}`;

  /** Throws if something cannot be created; `close` then removes what exists. */
  constructor() {
    for (const who of ['client', 'director', 'server'] as const) {
      ip('netns', 'add', this.name(who));
      this.ip(who, 'link set lo up');
    }
    this.wire('client', 'eth0', 'eth0');
    this.wire('server', 'eth0', 'eth1');
    this.address('client', 'eth0', '10.0.0.1/24', '2001:db8::1/64');
    this.address('director', 'eth0', '10.0.0.254/24', '10.0.0.100/32', '2001:db8::254/64', '2001:db8::100/128');
    this.address('director', 'eth1', '192.168.1.254/24', '2001:db8:1::254/64');
    this.address('server', 'eth0', '192.168.1.11/24', '2001:db8:1::11/64');
    this.ip('server', 'route add default via 192.168.1.254');
    this.ip('server', '-6 route add default via 2001:db8:1::254');
  }

  /** Starts a director with these lines in director.yaml; resolves when it is up. */
  direct(...lines: string[]): Promise<ChildProcess> {
    const devices = ['devices:', '  - { name: eth0, kind: packet }', '  - { name: eth1, kind: packet }'];
    const file = join(this.home, 'director.yaml');
    writeFileSync(file, [...devices, `socket: ${this.home}/socket`, 'accept: { arp: true }', ...lines, ''].join('\n'));
    return this.start('director', 'director is up', process.execPath, program('cli/main.js'), 'run', '-c', file);
  }

  /** Starts a program; resolves once it has printed `sign`. */
  async start(who: Who, sign: string, ...words: string[]): Promise<ChildProcess> {
    const all = ['netns', 'exec', this.name(who), ...words];
    const child = spawn('ip', all, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.children.push(child);
    await said(child, sign);
    return child;
  }

  /** Runs a program to its end and returns its output. */
  run(who: Who, ...words: string[]): string {
    const env = { ...process.env, ULVS_SOCKET: `${this.home}/socket` };
    const all = ['netns', 'exec', this.name(who), ...words];
    return execFileSync('/bin/sh', ['-c', 'exec ip "$@" 2>&1', 'ip', ...all], { encoding: 'utf8', env });
  }
  ulvsadm(...words: string[]): string {
    return this.run('director', process.execPath, program('cli/ulvsadm.js'), ...words);
  }

  async close(): Promise<void> {
    for (const child of this.children) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await ended;
    }
    for (const who of ['client', 'director', 'server'] as const) ip('netns', 'del', this.name(who));
    rmSync(this.home, { recursive: true });
  }

  private name(who: Who): string {
    return `${this.id}-${who}`;
  }
  private ip(who: Who, words: string): void {
    ip('-n', this.name(who), ...words.split(' '));
  }
  private wire(who: Who, dev: string, directors: string): void {
    this.ip(who, `link add ${dev} type veth peer name ${directors} netns ${this.name('director')}`);
    this.ip(who, `link set ${dev} up`);
    this.ip('director', `link set ${directors} up`);
  }
  private address(who: Who, dev: string, ...addresses: string[]): void {
    for (const address of addresses)
      this.ip(who, `addr add ${address} dev ${dev}${address.includes(':') ? ' nodad' : ''}`);
  }
}

function ip(...words: string[]): void {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function said(child: ChildProcess, sign: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let text = '';
    const hear = (chunk: Buffer) => {
      text += chunk;
      if (text.includes(sign)) resolve();
    };
    child.stdout!.on('data', hear);
    child.stderr!.on('data', hear);
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)));
  });
}
