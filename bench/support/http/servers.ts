/**
 * The realservers: nginx with a short and a long page, and iperf3. They are the same for all
 * balancers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Running, start, untilReady } from '../../../src/lab/build/process.js';
import { namespaceOf } from '../../../src/lab/names.js';
import { inNamespace } from '../../../src/sys/command.js';
import { BULK_PORT, WEB_PORT, WRK_SCRIPT } from './load.js';
import { pinned } from './placement.js';
import type { Scene } from './scene.js';

/** Size of each page in bytes. */
const PAGES = { short: 128, long: 100_000 } as const;

/**
 * A configuration of nginx. `modules`: files of dynamic modules. `rest`: the text after the general
 * part.
 */
export function nginxConfig(pid: string, workers: number, rest: string, modules: readonly string[] = []): string {
  return `${modules.map((file) => `load_module ${file};\n`).join('')}user root; daemon off; worker_processes ${workers}; pid ${pid}; error_log stderr error;
worker_rlimit_nofile 65536;
events { worker_connections 16384; }
${rest}`;
}

function pagesConfig(root: string): string {
  return `http {
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000000; open_file_cache max=16;
  client_body_temp_path ${root}/body; proxy_temp_path ${root}/proxy; fastcgi_temp_path ${root}/fastcgi;
  uwsgi_temp_path ${root}/uwsgi; scgi_temp_path ${root}/scgi;
  server { listen ${WEB_PORT} backlog=4096; root ${root}; }
}`;
}

export function prepare({ directory }: Scene): void {
  writeFileSync(`${directory}/wrk.lua`, WRK_SCRIPT);
  mkdirSync(`${directory}/pages`);
  for (const [name, bytes] of Object.entries(PAGES)) writeFileSync(`${directory}/pages/${name}`, 'x'.repeat(bytes));
}

/** Starts the servers of both realservers. Resolves when they listen. */
export async function startServers({ site, place, directory }: Scene): Promise<Running[]> {
  const started: Running[] = [];
  for (const host of ['rs1', 'rs2']) {
    const namespace = namespaceOf(site.id, host);
    const config = `${directory}/${host}.conf`;
    writeFileSync(config, nginxConfig(`${directory}/${host}.pid`, 1, pagesConfig(`${directory}/pages`)));
    const run = (what: string, ...words: string[]) =>
      start(`${host} ${what}`, namespace, `${directory}/${host}-${what}.log`, [...pinned(place, 'other'), ...words]);
    started.push(run('nginx', 'nginx', '-c', config), run('iperf3', 'iperf3', '-s', '-p', String(BULK_PORT)));
    for (const one of started.slice(-2)) await untilReady(one, () => listening(namespace, [WEB_PORT, BULK_PORT]));
  }
  return started;
}

/** True when processes in the namespace listen on all of the TCP ports. */
export async function listening(namespace: string, ports: readonly number[]): Promise<boolean> {
  const { stdout } = await inNamespace(namespace, 'ss', '-Htln');
  return ports.every((port) => new RegExp(`:${port}\\s`).test(stdout));
}
