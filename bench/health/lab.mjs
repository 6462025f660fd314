/**
 * What the measurements of this folder share: network namespaces, programs in them, a folder, and the director's answers.
 * All of it is gone after `remove`.
 */
import { execSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SocketClient } from '../../dist/control/api/client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const ULVS = [process.execPath, `${ROOT}/dist/cli/main.js`];
export const ULVSADM = [process.execPath, `${ROOT}/dist/cli/ulvsadm.js`];

/** Runs a command line; returns what it prints. */
export const sh = (line) => execSync(line, { stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

export class Lab {
  spaces = [];
  children = new Set();

  constructor(name) {
    this.name = name;
    this.folder = mkdtempSync(path.join(tmpdir(), `ulvs-${name}-`));
    this.socket = `${this.folder}/ulvs.sock`;
    execSync(`chmod a+rx ${this.folder}`);
  }

  /** Adds a network namespace; returns its name. */
  space(letter) {
    const space = `${this.name}-${letter}-${process.pid}`;
    sh(`ip netns add ${space}; ip -n ${space} link set lo up`);
    this.spaces.push(space);
    return space;
  }

  file(name, text) {
    writeFileSync(`${this.folder}/${name}`, text);
    return `${this.folder}/${name}`;
  }

  /** Starts a program in a namespace, with a process group of its own. */
  start(space, argv, stdout = 'ignore', stderr = 'ignore') {
    const child = spawn('ip', ['netns', 'exec', space, ...argv], { stdio: ['ignore', stdout, stderr], detached: true });
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }

  /** Runs a program to its end; resolves with its output and exit code. */
  async run(space, argv) {
    const child = this.start(space, argv, 'pipe', 'pipe');
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk));
    const code = await new Promise((resolve) => child.once('close', resolve));
    return { code, out };
  }

  /** Signals a program with all its processes. */
  signal(child, name) {
    try {
      process.kill(-child.pid, name);
    } catch {
      // It has ended.
    }
  }

  async end(child, name = 'SIGTERM') {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    this.signal(child, name);
    await ended;
  }

  /** Starts a director and waits until it answers. */
  async director(space, yaml) {
    const program = this.start(space, [...ULVS, 'run', '-c', this.file('d.yaml', yaml)]);
    for (let i = 0; i < 600; i++) {
      await sleep(100);
      if (await this.ask({ op: 'list' }).then(() => true, () => false)) return program;
    }
    throw new Error('the director does not answer');
  }

  async ask(request) {
    const client = new SocketClient(this.socket);
    try {
      return await client.request(request);
    } finally {
      client.close();
    }
  }

  async remove() {
    for (const child of this.children) this.signal(child, 'SIGCONT');
    for (const child of this.children) this.signal(child, 'SIGKILL');
    await sleep(500);
    for (const space of this.spaces) execSync(`ip netns del ${space} || true`, { stdio: 'ignore' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** nginx in the foreground with these servers, and all its files in `folder`. */
export function nginxConf(folder, servers) {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
  return `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log /dev/null;\nevents { worker_connections 4096; } http { access_log off; ${temp}\n${servers} }\n`;
}
