/**
 * Placement of the processes on processors, and offloads of the interfaces.
 *
 *     shared   all processes on all processors, as the scheduler places them
 *     apart    processor 0: clients, realservers, the switch        processor 1: the balancer alone
 *
 * Normally softirq runs the receive work of a device on the processor of the sender. With `apart`,
 * the kernel's threads napi/DEVICE run the receive work of the balancer's devices on processor 1.
 * RPS processes the packets of all other devices on processor 0. The time of known threads is then
 * the whole cost of balancing, and it contains nothing else.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { LabError } from '../../../src/lab/error.js';
import { namespaceOf, SWITCH, switchEnd } from '../../../src/lab/names.js';
import { command, inNamespace } from '../../../src/sys/command.js';
import { BALANCER, interfaces, type Site } from './site.js';

export type Place = 'shared' | 'apart';
/**
 * With offloads, a GSO packet of 64 KiB crosses a veth in one piece, with a partial checksum.
 * Without them frames are as on a wire.
 */
export interface Setting {
  readonly place: Place;
  readonly offloads: boolean;
}

const OTHERS = 0;
const OWN = 1;

/** Applies a setting. Call it once for each site: settings stay. */
export async function apply(site: Site, { place, offloads }: Setting): Promise<void> {
  if (!offloads) for (const [namespace, dev] of interfaces(site)) await turnOff(namespace, dev, 'tx', 'tso', 'gso');
  if (place === 'shared') return;
  for (const [namespace, dev] of interfaces(site)) await write(namespace, dev, 'queues/rx-0/rps_cpus', 1 << OTHERS);
  for (const dev of site.devices) await receiveByThreads(site, dev);
}

/**
 * Makes the kernel's threads do the receive work of a device. A veth has NAPI while it has GRO or
 * XDP. It uses NAPI for all packets except GSO packets, so TSO of its peer is turned off.
 */
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

/** The words before a command that pin its process to a processor. */
export function pinned(place: Place, role: 'balancer' | 'other'): string[] {
  return place === 'shared' ? [] : ['taskset', '-c', String(role === 'balancer' ? OWN : OTHERS)];
}

/** Number of processors of the balancer. */
export function processors(place: Place): number {
  return place === 'shared' ? 2 : 1;
}

/**
 * Pins the NAPI threads of the balancer's devices to its processor and returns their pids. A
 * program that attaches XDP creates new ones, so call it when the balancer runs.
 */
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
    return false; // the process has ended
  }
}
