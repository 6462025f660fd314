/**
 * Source ports for SYNs of our own. One of a connection that was closed less than a minute ago (TIME_WAIT) cannot be had again,
 * and its SYN would be seen by nobody.
 */
import { inNamespace } from '../sys/command.js';
import type { HostFacts } from './facts.js';
import { FIRST_PORT, PORTS } from './listen.js';

const TRIES = 200;

/** The first of `n` ports in a row that none of the hosts has in use; any, where there is no such row. */
export async function freePorts(hosts: readonly Pick<HostFacts, 'namespace'>[], n: number): Promise<number> {
  const tables = await Promise.all([...new Set(hosts.map(({ namespace }) => namespace))].map(tcpTables));
  return choose(new Set(tables.flatMap(localPorts)), n);
}

async function tcpTables(namespace: string): Promise<string> {
  const { stdout } = await inNamespace(namespace, 'sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; true');
  return stdout;
}

/** Of the lines `0: 0100007F:7A12 00000000:0000 0A …` of /proc/net/tcp. */
export function localPorts(table: string): number[] {
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)].map(([, port]) => Number.parseInt(port!, 16));
}

/** A random row, so that two doctors at work at once hardly meet. */
export function choose(used: ReadonlySet<number>, n: number): number {
  const any = () => FIRST_PORT + Math.floor(Math.random() * (PORTS - n));
  const isFree = (base: number) => Array.from({ length: n }, (_, i) => base + i).every((port) => !used.has(port));
  let base = any();
  for (let tries = 0; tries < TRIES && !isFree(base); tries++) base = any();
  return base;
}
