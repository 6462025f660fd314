/**
 * keepalived on the directors of a pair: Debian's program, unchanged. It only does VRRP (--vrrp),
 * so it needs no IPVS of the kernel.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../sys/command.js';
import { LabError } from '../error.js';
import { directoryOf, namespaceOf } from '../names.js';
import type { Topology } from '../topology.js';
import { socketPath } from './config.js';
import { type Running, start } from './process.js';

/** Where `scripts/setup.sh programs` unpacks it: installed, it would start as a service. */
const UNPACKED = join(import.meta.dirname, '../../..', '.tools/debian');
const INSTALLED = ['/usr/sbin/keepalived', '/usr/local/sbin/keepalived'];

/** The words that start keepalived; undefined where it is missing. */
export function keepalivedWords(): readonly string[] | undefined {
  const installed = INSTALLED.find((path) => existsSync(path));
  if (installed !== undefined) return [installed];
  if (!existsSync(`${UNPACKED}/usr/sbin/keepalived`)) return undefined;
  const libraries = ['usr/lib', 'lib'].map((dir) => `${UNPACKED}/${dir}/x86_64-linux-gnu`).join(':');
  return ['env', `LD_LIBRARY_PATH=${libraries}`, `${UNPACKED}/usr/sbin/keepalived`];
}

/**
 * The director answers a line that is no request with an error. To curl that is not HTTP: exit code
 * 1, at once. `ulvs status` asks the same and takes as long as Node.js needs to start.
 */
const CHECK = 'curl -s -m 2 --unix-socket SOCKET http://ulvs/; test $? -eq 1';

/** Why a lab with keepalived cannot be brought up; undefined: it can. */
export function keepalivedObstacle({ keepalived, name }: Pick<Topology, 'keepalived' | 'name'>): string | undefined {
  if (keepalived === undefined || keepalivedWords() !== undefined) return undefined;
  return `lab ${name} needs keepalived: run scripts/setup.sh programs, or apt install keepalived`;
}

/**
 * Starts keepalived on a host. @CHECK@ in its configuration is a script that fails when the
 * director does not answer.
 */
export function startKeepalived(id: string, host: string, text: string): Running {
  const directory = directoryOf(id);
  const check = `${directory}/${host}-check.sh`;
  writeFileSync(check, `#!/bin/sh\n${CHECK.replace('SOCKET', socketPath(id, host))}\n`, { mode: 0o700 });
  const file = `${directory}/${host}-keepalived.conf`;
  writeFileSync(file, text.replaceAll('@CHECK@', check));
  const pids = ['pid', 'vrrp_pid', 'checkers_pid'].map((kind) => `--${kind}=${directory}/${host}-${kind}`);
  const words = ['--vrrp', '--dont-fork', '--log-console', '--log-detail', `--use-file=${file}`, ...pids];
  return start(`${host}-keepalived`, namespaceOf(id, host), `${directory}/${host}-keepalived.log`, [
    ...keepalivedWords()!,
    ...words,
  ]);
}

/** Resolves when an interface of the host has the address. Throws a LabError after `ms`. */
export async function untilHas(id: string, host: string, address: string, ms = 30_000): Promise<void> {
  for (const end = Date.now() + ms; !(await has(id, host, address)); await sleep(30))
    if (Date.now() > end)
      throw new LabError(`${host} has no ${address} after ${ms / 1000} s: keepalived did not move it`);
}

async function has(id: string, host: string, address: string): Promise<boolean> {
  const { stdout } = await command('ip', ['-n', namespaceOf(id, host), '-brief', 'address']);
  return stdout.includes(` ${address}/`);
}

/**
 * Lines of `ip -batch` that take away the addresses that a keepalived with this configuration may
 * have left behind. `to` means a prefix: without /32 it would match the host's own address of the
 * same network, too.
 */
export function withoutVirtual(text: string): string[] {
  return [...text.matchAll(/^\s*([\d.]+)\/\d+ dev (\S+)$/gm)].map(
    ([, address, dev]) => `address flush dev ${dev} to ${address}/32`,
  );
}
