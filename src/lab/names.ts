/** Where a lab keeps its things. An id is the topology's name and four random hex digits, so that several labs run at once. */
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';

/** In a user namespace /run is a tmpfs of our own (lab/build/rootless.ts). */
export const STATE_DIRECTORY = '/run/ulvs-lab';

export function newId(topology: string): string {
  return `${topology}-${randomBytes(2).toString('hex')}`;
}

export function namespaceOf(id: string, host: string): string {
  return `ulvs-${id}-${host}`;
}

/** The namespace that holds the bridges: the lab's wires. */
export const SWITCH = 'switch';

/** The switch's end of a host's port: captures there see what the host sends and gets, whatever kind of device it uses. */
export function switchEnd(host: string, dev: string): string {
  return `${host}-${dev}`;
}

/** The far end of the veth pair by which packets come out of a realserver's tunnel. */
export function outsideOf(dev: string): string {
  return `${dev}-out`;
}

export function statePath(id: string): string {
  return `${STATE_DIRECTORY}/${id}.json`;
}

/** A running lab's director.yaml, control socket, logs and captures. */
export function directoryOf(id: string): string {
  return `${STATE_DIRECTORY}/${id}`;
}

/** A compiled program of ours. Both src/lab and dist/lab lie two folders below the root, so this holds in tests too. */
export function program(path: string): string {
  return fileURLToPath(new URL(`../../dist/${path}`, import.meta.url));
}
