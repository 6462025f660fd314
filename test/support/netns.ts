/** Network namespaces of this test process, which are removed with everything in them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { check, setns } from '../../src/sys/libc.js';

const CLONE_NEWNET = 0x40000000;

export const isRoot = process.getuid?.() === 0;

export class Namespaces {
  private readonly names: string[] = [];
  private readonly children: ChildProcess[] = [];

  constructor(private readonly label: string) {}

  add(letter: string): string {
    const name = `t-${this.label}-${process.pid}-${letter}`;
    execFileSync('ip', ['netns', 'add', name]);
    this.names.push(name);
    this.run(name, 'ip link set lo up');
    this.run(name, 'sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1');
    return name;
  }

  /** Runs a shell line inside. Throws when it fails. */
  run(name: string, line: string): string {
    return execFileSync('ip', ['netns', 'exec', name, 'sh', '-c', line], {
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 20_000,
    });
  }

  /** Starts a Node.js script inside, in the background. */
  node(name: string, script: string): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', name, process.execPath, '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.children.push(child);
    return child;
  }

  /** Starts a Node.js script inside and waits until it prints `ready`, at most 20 s. */
  async serve(name: string, script: string): Promise<void> {
    const { stdout } = this.node(name, script);
    let said = '';
    stdout!.on('data', (chunk: Buffer) => (said += chunk));
    for (const end = Date.now() + 20_000; !said.includes('ready'); await sleep(5))
      if (Date.now() > end) throw new Error(`in ${name}: it did not say ready, but "${said}"`);
  }

  /** Runs `work` while this thread is in the namespace. Sockets that it opens stay there. */
  inside<T>(name: string, work: () => T): T {
    const home = openSync('/proc/thread-self/ns/net', 'r');
    const there = openSync(`/run/netns/${name}`, 'r');
    try {
      check(setns(there, CLONE_NEWNET), 'setns');
      return work();
    } finally {
      check(setns(home, CLONE_NEWNET), 'setns');
      closeSync(there);
      closeSync(home);
    }
  }

  /**
   * Makes a veth pair between two namespaces and sets it up, with MACs 02:…:a0 and 02:…:b0 and
   * default offloads.
   */
  veth(a: string, aName: string, b: string, bName: string): void {
    this.run(
      a,
      `ip link add ${aName} address 02:00:00:00:00:a0 type veth peer name ${bName} address 02:00:00:00:00:b0 netns ${b}`,
    );
    this.run(a, `ip link set ${aName} up`);
    this.run(b, `ip link set ${bName} up`);
  }

  remove(): void {
    for (const child of this.children.splice(0)) child.kill('SIGKILL');
    for (const name of this.names.splice(0)) execFileSync('ip', ['netns', 'del', name]);
  }
}
