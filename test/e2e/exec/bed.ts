/**
 * A testbed whose director answers programs under `ulvs exec`. The programs are Debian's: those that
 * this machine has, else those that scripts/setup.sh unpacks into .tools/debian.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { vi } from 'vitest';
import { SocketClient } from '../../../src/control/api/client.js';
import { offlineNames } from '../../../src/ulvsadm/names.js';
import { ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';
import { DIST, type Ended, type Program, Testbed, until } from '../testbed.js';

// Each `ulvs exec` starts Node.js anew, which takes long on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const ROOT = path.resolve(import.meta.dirname, '../../..');
const UNPACKED = path.join(ROOT, '.tools/debian');

const PROGRAMS = ['ipvsadm', 'keepalived', 'ldirectord', 'prometheus-node-exporter'];
const UNPACKED_FOLDERS = ['sbin', 'usr/sbin', 'usr/bin'].map((folder) => path.join(UNPACKED, folder));
const FOLDERS = [...UNPACKED_FOLDERS, ...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];

/** The path of a program; undefined: it is missing. */
function find(name: string): string | undefined {
  return FOLDERS.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}

/** Variables with which the programs and their libraries are found. */
function environment(): string[] {
  // `make test` has fetched them already.
  if (PROGRAMS.some((name) => find(name) === undefined))
    execFileSync(path.join(ROOT, 'scripts/setup.sh'), ['programs'], { stdio: 'inherit' });
  const libraries = under('usr/lib', /-linux-gnu$/);
  const perl = libraries.flatMap((folder) => under(path.join(folder, 'perl5'), /^\d/));
  return [
    `PATH=${FOLDERS.join(':')}`,
    `LD_LIBRARY_PATH=${[...libraries, ...under('lib', /-linux-gnu$/)].map((one) => path.join(UNPACKED, one)).join(':')}`,
    `PERL5LIB=${['usr/share/perl5', ...perl].map((one) => path.join(UNPACKED, one)).join(':')}`,
  ];
}

/** Folders by name in a folder of UNPACKED, relative to it. */
function under(folder: string, name: RegExp): string[] {
  const whole = path.join(UNPACKED, folder);
  const names = existsSync(whole) ? readdirSync(whole) : [];
  return names.filter((one) => name.test(one)).map((one) => path.join(folder, one));
}

export interface ExecOptions {
  /** Words before --. */
  readonly options?: readonly string[];
  /** Variables, NAME=VALUE. */
  readonly variables?: readonly string[];
  readonly input?: string;
  /** Words before `ulvs`, such as setpriv's. */
  readonly prefix?: readonly string[];
}

export class ExecBed extends Testbed {
  private readonly environment = environment();

  /** The words of `ulvs exec -- COMMAND`, with the environment. */
  execWords(command: readonly string[], { options = [], variables = [], prefix = [] }: ExecOptions = {}): string[] {
    const ulvs = [process.execPath, `${DIST}/cli/main.js`, 'exec', '--socket', this.socket, ...options, '--'];
    return ['env', ...this.environment, ...variables, ...prefix, ...ulvs, ...command];
  }

  /** Gives an interface an IPv6 address, which it has at once. */
  addIPv6(space: string, dev: string, address: string): void {
    const names = ['all', dev].map((name) => `net.ipv6.conf.${name}.disable_ipv6=0`).join(' ');
    this.run(space, `sysctl -qw ${names}; ip addr add ${address} dev ${dev} nodad`);
  }

  /** Starts `ulvs exec -- COMMAND` in the director's namespace. */
  exec(command: readonly string[], options: ExecOptions = {}): Program {
    return this.start(this.director, this.execWords(command, options), options.input);
  }

  /** The path of a program that scripts/setup.sh looks after. */
  program(name: string): string {
    return find(name)!;
  }

  /** Runs it to its end. */
  runExec(command: readonly string[], options: ExecOptions = {}): Promise<Ended> {
    return this.exec(command, options).ended;
  }

  /** Runs a shell script below one `ulvs exec`. Returns what it printed on both streams. */
  async shell(script: string, options: ExecOptions = {}): Promise<string> {
    const { out, err } = await this.runExec(['sh', '-c', `exec 2>&1; ${script}`], options);
    return out + err;
  }

  /** What ulvsadm says to a line of arguments, under the name ipvsadm; with the exit code. */
  async admin(line: string, input = ''): Promise<{ out: string; rc: number }> {
    const client = new SocketClient(this.socket);
    try {
      const names = { program: 'ipvsadm', names: offlineNames() };
      const { out, err, rc } = await ulvsadm(line.split(' '), () => input, client, names);
      return { out: out + err, rc };
    } finally {
      client.close();
    }
  }

  /** The services and destinations of a listing, sorted, without counts. */
  async table(): Promise<string> {
    const { out } = await this.admin('-Ln --sort');
    const lines = out.split('\n').slice(3, -1);
    return lines.map((line) => line.replace(/^( {2}->.{39}).*/, '$1').trimEnd()).join('\n');
  }

  /** Waits at most 10 s for a listing. Returns the last one. */
  async tableBecomes(wanted: string): Promise<string> {
    const isThere = async () => (await this.table()) === wanted;
    if (!(await until(isThere))) await until(isThere);
    return this.table();
  }

  /** Runs a Python script below `ulvs exec`. */
  python(script: string, options: ExecOptions = {}): Promise<Ended> {
    return this.runExec(['python3', '-'], { ...options, input: script });
  }
}
