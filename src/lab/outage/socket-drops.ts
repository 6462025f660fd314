/**
 * Datagrams that the testbed's own sockets drop: client and realserver are programs, and a program
 * that gets no processor for a moment reads its socket too late. They are no loss of the director.
 */
import { inNamespace } from '../../sys/command.js';

/** Datagrams that sockets of these namespaces have dropped so far, because their queue was full. */
export async function socketDrops(namespaces: readonly string[]): Promise<number> {
  const all = await Promise.all(namespaces.map(dropsIn));
  return all.reduce((sum, drops) => sum + drops, 0);
}

async function dropsIn(namespace: string): Promise<number> {
  const { stdout } = await inNamespace(namespace, 'sh', '-c', 'cat /proc/net/snmp; tail -n +2 /proc/net/raw');
  return udpDrops(stdout) + rawDrops(stdout);
}

/** RcvbufErrors of /proc/net/snmp: a line of names, then a line of values. */
export function udpDrops(text: string): number {
  const [names = [], values = []] = text
    .split('\n')
    .filter((line) => line.startsWith('Udp: '))
    .map(words);
  return Number(values[names.indexOf('RcvbufErrors')] ?? 0);
}

/** The last column of /proc/net/raw, whose lines begin with a number and a colon. */
export function rawDrops(text: string): number {
  const lines = text.split('\n').filter((line) => /^\s*\d+: /.test(line));
  return lines.reduce((sum, line) => sum + Number(words(line).at(-1)), 0);
}

function words(line: string): string[] {
  return line.trim().split(/\s+/);
}
