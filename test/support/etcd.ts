/** A real etcd on a free port of this machine, or a reason why there is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolWords } from '../../src/lab/build/tool.js';
import { makeCertificates } from './certificates.js';

/** Why no etcd can be started; '': it can. */
export function etcdObstacle(): string {
  try {
    toolWords('etcd', 'etcd-server');
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

/** Three free ports. */
async function freePorts(): Promise<number[]> {
  const servers = await Promise.all(
    [0, 0, 0].map(
      () =>
        new Promise<net.Server>((resolve) => {
          const server = net.createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export class Etcd {
  private child: ChildProcess | undefined;
  readonly folder = mkdtempSync(path.join(tmpdir(), 'ulvs-etcd-'));

  private constructor(
    private readonly ports: readonly number[],
    private readonly tls: boolean,
  ) {}

  /** With `tls` it also listens on `secure`, for clients with a certificate (certificates.ts). */
  static async start(tls = false): Promise<Etcd> {
    const etcd = new Etcd(await freePorts(), tls);
    if (tls) makeCertificates(etcd.folder);
    await etcd.start();
    return etcd;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  get secure(): string {
    return `https://127.0.0.1:${this.ports[2]}`;
  }

  /** Starts it, with the data that it had before. */
  async start(): Promise<void> {
    const peer = `http://127.0.0.1:${this.ports[1]}`;
    const clients = this.tls ? `${this.endpoint},${this.secure}` : this.endpoint;
    const urls = ['--listen-client-urls', clients, '--advertise-client-urls', clients, '--listen-peer-urls', peer];
    const cluster = ['--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`];
    const [command, ...before] = toolWords('etcd', 'etcd-server');
    const words = ['--data-dir', path.join(this.folder, 'data'), '--log-level', 'error', ...urls, ...cluster];
    this.child = spawn(command!, [...before, ...words, ...this.tlsWords()], { stdio: 'ignore' });
    for (let i = 0; i < 400; i++, await sleep(25)) if (await this.answers()) return;
    throw new Error('etcd does not answer after 10 s');
  }

  /** Ends it; its data stay. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Takes away what etcd has stored. */
  forget(): void {
    rmSync(path.join(this.folder, 'data'), { recursive: true });
  }

  /** One transaction: puts each key, or deletes it where there is no value. */
  async write(changes: Readonly<Record<string, string | undefined>>): Promise<number> {
    const success = Object.entries(changes).map(([key, value]) =>
      value === undefined
        ? { request_delete_range: { key: base64(key) } }
        : { request_put: { key: base64(key), value: base64(value) } },
    );
    const { header } = (await this.post('kv/txn', { success })) as { header: { revision: string } };
    return Number(header.revision);
  }

  async post(call: string, body: object): Promise<unknown> {
    const response = await fetch(`${this.endpoint}/v3/${call}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }

  private tlsWords(): string[] {
    const file = (name: string) => path.join(this.folder, name);
    const own = ['--cert-file', file('server.pem'), '--key-file', file('server.key')];
    return this.tls ? [...own, '--client-cert-auth', '--trusted-ca-file', file('ca.pem')] : [];
  }

  private async answers(): Promise<boolean> {
    return this.post('kv/range', { key: base64('x') }).then(
      () => true,
      () => false,
    );
  }
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
