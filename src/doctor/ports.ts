/**
 * Source ports for the doctor's SYNs. A port of a connection in TIME_WAIT (closed less than a
 * minute ago) cannot be used again: its SYN would not be sent.
 */
import { inNamespace } from '../sys/command.js';
import type { HostFacts } from './facts.js';
import { FIRST_PORT, PORTS } from './live-capture.js';

const TRIES = 200;

/**
 * Returns the first of `n` consecutive ports that no host has in use. If there is no such range,
 * the ports may be in use.
 */
export async function freePorts(hosts: readonly Pick<HostFacts, 'namespace'>[], n: number): Promise<number> {
  const tables = await Promise.all([...new Set(hosts.map(({ namespace }) => namespace))].map(tcpTables));
  return choose(new Set(tables.flatMap(localPorts)), n);
}

async function tcpTables(namespace: string): Promise<string> {
  const { stdout } = await inNamespace(namespace, 'sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null; true');
  return stdout;
}

/** Local ports from lines of /proc/net/tcp, as `0: 0100007F:7A12 00000000:0000 0A …`. */
export function localPorts(table: string): number[] {
  return [...table.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) /gm)].map(([, port]) => Number.parseInt(port!, 16));
}

/** Chooses a random range, so that two doctors at the same time rarely collide. */
export function choose(used: ReadonlySet<number>, n: number): number {
  const any = () => FIRST_PORT + Math.floor(Math.random() * (PORTS - n));
  const isFree = (base: number) => Array.from({ length: n }, (_, i) => base + i).every((port) => !used.has(port));
  let base = any();
  for (let tries = 0; tries < TRIES && !isFree(base); tries++) base = any();
  return base;
}
