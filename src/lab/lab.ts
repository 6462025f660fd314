/** A lab from nothing to serving, and back to nothing. */
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { configPath, directorYaml, socketPath } from './config.js';
import { directoryOf, namespaceOf, newId, program } from './names.js';
import { buildNetwork, namespaces, removeNetwork } from './network.js';
import { isRunning, type Running, saysReady, start, stop, untilReady } from './process.js';
import type { Count } from './service.js';
import { type LabState, listStates, removeState, saveState } from './state.js';
import { type Host, type LabDevice, realservers, type Topology } from './topology.js';

/** `director: false` leaves the director out, for who wants to start one by hand (or something else in its place). */
export interface UpOptions {
  readonly device: LabDevice;
  readonly director?: boolean;
}

export interface Lab extends LabState {
  readonly spec: Topology;
}

/** Whatever fails, or if `signal` aborts, nothing stays behind. */
export async function up(spec: Topology, options: UpOptions, signal?: AbortSignal): Promise<Lab> {
  const id = newId(spec.name);
  const lab: Lab = {
    id,
    topology: spec.name,
    device: options.device,
    owner: process.pid,
    namespaces: namespaces(spec, id),
    processes: [],
    spec,
  };
  try {
    record(lab);
    await buildNetwork(spec, id, options.device);
    signal?.throwIfAborted();
    writeFileSync(configPath(id), directorYaml(spec, options.device, id));
    for (const host of realservers(spec)) startRealserver(lab, host);
    if (options.director !== false) startDirector(lab);
    await Promise.all(lab.processes.map((running) => untilReady(running, readiness(lab, running))));
    signal?.throwIfAborted();
    return lab;
  } catch (error) {
    await down(lab);
    throw error;
  }
}

/** Remembers a process that must end with the lab. */
export function track(lab: Lab, running: Running): Running {
  lab.processes.push(running);
  record(lab);
  return running;
}

function record({ spec: _, ...state }: Lab): void {
  mkdirSync(directoryOf(state.id), { recursive: true, mode: 0o700 });
  saveState(state);
}

function startProgram(lab: Lab, host: string, what: string, words: readonly string[]): void {
  const log = `${directoryOf(lab.id)}/${what}.log`;
  track(lab, start(what, namespaceOf(lab.id, host), log, [process.execPath, ...words]));
}

function startRealserver(lab: Lab, host: Host): void {
  const { addresses, http: httpPort, echo } = lab.spec.listeners(host);
  const words = [host.name, countPath(lab.id, host.name), String(httpPort), String(echo), ...addresses];
  startProgram(lab, host.name, host.name, [program('lab/realserver.js'), ...words]);
  if (host.extra && host.extra.dev !== 'lo')
    startProgram(lab, host.name, `${host.name}-decapsulator`, [program('lab/decapsulator.js'), host.extra.dev]);
}

export const DIRECTOR = 'director';

function startDirector(lab: Lab): void {
  startProgram(lab, DIRECTOR, DIRECTOR, [program('cli/main.js'), 'run', '-c', configPath(lab.id)]);
}

function readiness(lab: Lab, running: Running): () => boolean | Promise<boolean> {
  return running.what === DIRECTOR ? () => listens(socketPath(lab.id)) : () => saysReady(running);
}

function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path, () => resolve(true));
    socket.on('connect', () => socket.end()).on('error', () => resolve(false));
  });
}

function countPath(id: string, name: string): string {
  return `${directoryOf(id)}/${name}.sock`;
}

/** Ends processes, deletes namespaces and files; what is already gone is no error. */
export async function down(lab: LabState): Promise<void> {
  await stop(lab.processes);
  await removeNetwork(lab.namespaces);
  removeState(lab.id);
}

/** The labs that `name` means: an id, the name of a topology, or all when it is left out. */
export function matching(name?: string): LabState[] {
  return listStates().filter(({ id, topology }) => name === undefined || id === name || topology === name);
}

export function isHealthy(lab: LabState): boolean {
  return lab.processes.every(isRunning);
}

/** What a realserver has counted, asked over its Unix socket, past the network. */
export function countOf(id: string, name: string): Promise<Count> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath: countPath(id, name), path: '/count', agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve(JSON.parse(body) as Count));
    });
    request.on('error', reject);
  });
}
