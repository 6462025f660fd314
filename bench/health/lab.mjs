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

  /** Lays the cables: client 10.1.0.1 ── 10.1.0.254 director 10.2.0.254 ── 10.2.0.11 server. */
  cables(client, director, server) {
    sh(`ip link add eth0 netns ${client} type veth peer name eth1 netns ${director}; ip link add eth2 netns ${director} type veth peer name eth0 netns ${server}`);
    for (const [space, device, address] of [[client, 'eth0', '10.1.0.1'], [director, 'eth1', '10.1.0.254'], [director, 'eth2', '10.2.0.254'], [server, 'eth0', '10.2.0.11']])
      sh(`ip -n ${space} addr add ${address}/24 dev ${device}; ip -n ${space} link set ${device} up`);
    sh(`ip -n ${server} route add default via 10.2.0.254; ip -n ${client} route add default via 10.1.0.254`);
  }

  /** director.yaml of an XDP director between these cables. */
  yaml(accept, more, rules) {
    const devices = 'devices: [{ name: eth1, kind: xdp }, { name: eth2, kind: xdp }]';
    return [devices, `accept: { ${accept} }`, `socket: ${this.socket}`, more, 'rules: |', ...rules.map((rule) => `  ${rule}`), ''].join('\n');
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
  async director(space, yaml, prefix = []) {
    const program = this.start(space, [...prefix, ...ULVS, 'run', '-c', this.file('d.yaml', yaml)]);
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
