/**
 * Who runs where, and what the wire does.
 *
 *     shared   everybody on all processors, as it comes
 *     apart    processor 0: clients, realservers, the switch        processor 1: the balancer, and nothing else of ours
 *
 * Apart, the balancer's devices do their receiving work (what softirq does otherwise, on whatever processor the sender
 * happens to be) in the kernel's threads napi/DEVICE, on processor 1; what arrives at the others is processed on 0 (RPS).
 * So all that balancing costs is the time of known threads, and none of it is anybody else's.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { LabError } from '../../../src/lab/error.js';
import { namespaceOf, SWITCH, switchEnd } from '../../../src/lab/names.js';
import { command, inNamespace } from '../../../src/sys/command.js';
import { BALANCER, interfaces, type Site } from './site.js';

export type Place = 'shared' | 'apart';
/** Offloads on: a super-packet of 64 KiB crosses a veth in one piece, its checksum never made. Off: frames as on a wire. */
export interface Setting {
  readonly place: Place;
  readonly offloads: boolean;
}

const OTHERS = 0;
const OWN = 1;

/** Once for each site: what was set stays. */
export async function apply(site: Site, { place, offloads }: Setting): Promise<void> {
  if (!offloads) for (const [namespace, dev] of interfaces(site)) await turnOff(namespace, dev, 'tx', 'tso', 'gso');
  if (place === 'shared') return;
  for (const [namespace, dev] of interfaces(site)) await write(namespace, dev, 'queues/rx-0/rps_cpus', 1 << OTHERS);
  for (const dev of site.devices) await receiveByThreads(site, dev);
}

/** A veth has NAPI while it has GRO, or XDP, and uses it for all that its peer does not send as super-packets. */
async function receiveByThreads(site: Site, dev: string): Promise<void> {
  const namespace = namespaceOf(site.id, BALANCER);
  await turnOff(namespaceOf(site.id, SWITCH), switchEnd(BALANCER, dev), 'tso');
  await inNamespace(namespace, 'ethtool', '-K', dev, 'gro', 'on');
  await write(namespace, dev, 'threaded', 1);
}

function turnOff(namespace: string, dev: string, ...offloads: string[]): Promise<unknown> {
  return inNamespace(namespace, 'ethtool', '-K', dev, ...offloads.flatMap((name) => [name, 'off']));
}

function write(namespace: string, dev: string, file: string, value: number): Promise<unknown> {
  return inNamespace(namespace, 'sh', '-c', `echo ${value} > /sys/class/net/${dev}/${file}`);
}

/** In front of a command. */
export function pinned(place: Place, role: 'balancer' | 'other'): string[] {
  return place === 'shared' ? [] : ['taskset', '-c', String(role === 'balancer' ? OWN : OTHERS)];
}

/** How many processors the balancer has. */
export function processors(place: Place): number {
  return place === 'shared' ? 2 : 1;
}

/** The receiving threads of the balancer's devices, now on its processor. A program that attaches XDP makes them anew. */
export async function receivers({ devices }: Site): Promise<number[]> {
  const pids = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isReceiver(devices, pid));
  if (pids.length === 0)
    throw new LabError('no thread napi/… receives for the balancer: does this kernel thread NAPI?');
  for (const pid of pids) await command('taskset', ['-pc', String(OWN), pid]);
  return pids.map(Number);
}

function isReceiver(devices: readonly string[], pid: string): boolean {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8');
    return devices.some((dev) => name.startsWith(`napi/${dev}-`));
  } catch {
    return false; // it has ended meanwhile
  }
}
