/**
 * Two namespaces with two links:
 *
 *   ns a: va0 10.1.0.1/24 2001:db8:1::1/64 ─── vb0 10.1.0.2/24 2001:db8:1::2/64 :ns b
 *         va1 10.2.0.1/24 2001:db8:2::1/64 ─── vb1 10.2.0.2/24 2001:db8:2::2/64
 */
import { execFileSync } from 'node:child_process';
import { RouteSocket } from '../../src/netlink/route-socket.js';
import { inNetns } from '../../src/sys/netns.js';
import { isRoot, Namespaces } from '../support/netns.js';

export function skipReason(name: string): boolean {
  if (!isRoot) console.log(`${name}: skipped, needs root for namespaces`);
  return !isRoot;
}

/** A JSON object as `ip -j` prints it. */
export type Printed = Record<string, unknown>;

export class Lab {
  readonly #spaces: Namespaces;
  readonly a: string;
  readonly b: string;
  readonly #sockets: RouteSocket[] = [];

  constructor(label: string) {
    this.#spaces = new Namespaces(label);
    try {
      this.a = this.#space('a');
      this.b = this.#space('b');
      for (const n of [0, 1]) this.#link(n);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** A shell line in namespace a. */
  run(...lines: string[]): string {
    return this.#spaces.run(this.a, lines.join(' && '));
  }
  runB(...lines: string[]): string {
    return this.#spaces.run(this.b, lines.join(' && '));
  }

  /** Lines for `ip -batch`, in namespace a; a line that fails is passed over. */
  batch(family: 4 | 6, lines: readonly string[]): void {
    const args = ['-n', this.a, `-${family}`, '-force', '-batch', '-'];
    try {
      execFileSync('ip', args, { input: `${lines.join('\n')}\n`, stdio: ['pipe', 'pipe', 'pipe'], timeout: 20_000 });
    } catch {
      // -force goes on and exits with 1.
    }
  }

  ip(words: string): Printed[] {
    const text = execFileSync('ip', ['-n', this.a, '-j', ...words.split(' ')], { encoding: 'utf8', timeout: 20_000 });
    return JSON.parse(text || '[]') as Printed[];
  }

  inside<T>(work: () => T): T {
    return inNetns(this.a, work);
  }

  socket(): RouteSocket {
    const socket = this.inside(() => new RouteSocket());
    this.#sockets.push(socket);
    return socket;
  }

  /** Ifindex by name, in namespace a. */
  ifindex(name: string): number {
    return Number(this.run(`cat /sys/class/net/${name}/ifindex`));
  }

  remove(): void {
    for (const socket of this.#sockets.splice(0)) socket.close();
    this.#spaces.remove();
  }

  #space(letter: string): string {
    const name = this.#spaces.add(letter);
    const on = ['ipv6.conf.all.disable_ipv6=0', 'ipv6.conf.default.disable_ipv6=0', 'ipv6.conf.default.accept_dad=0'];
    const forward = ['ipv4.ip_forward=1', 'ipv6.conf.all.forwarding=1', 'ipv4.conf.default.rp_filter=0'];
    const values = [...on, ...forward, 'ipv4.conf.all.rp_filter=0'].map((value) => `net.${value}`);
    this.#spaces.run(name, `sysctl -qw ${values.join(' ')}`);
    return name;
  }

  #link(n: number): void {
    const [va, vb] = [`va${n}`, `vb${n}`];
    const macs = [`address 02:00:00:00:0${n}:a0`, `address 02:00:00:00:0${n}:b0`];
    this.run(`ip link add ${va} ${macs[0]} type veth peer name ${vb} ${macs[1]} netns ${this.b}`);
    this.run(...this.#addresses(va, n, 1));
    this.runB(...this.#addresses(vb, n, 2));
  }

  #addresses(name: string, n: number, host: number): string[] {
    const add = `ip addr add dev ${name}`;
    return [`ip link set ${name} up`, `${add} 10.${n + 1}.0.${host}/24`, `${add} 2001:db8:${n + 1}::${host}/64 nodad`];
  }
}

/** Only these keys, for a comparison with what knows more. */
export function only(printed: Printed, keys: readonly string[]): Printed {
  return Object.fromEntries(Object.entries(printed).filter(([key]) => keys.includes(key)));
}

/** Without the keys whose value is undefined. */
export function defined(object: Printed): Printed {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
