/** Brings a lab up and takes it down. */
import { chmodSync, chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { argumentsOf } from '../../sys/process.js';
import { userIds } from '../../sys/user.js';
import { LabError } from '../error.js';
import { directoryOf, namespaceOf, newId, outerEnd, program, STATE_DIRECTORY } from '../names.js';
import type { Count } from '../programs/service.js';
import { type Host, type LabDevice, type Server, servers, type Topology } from '../topology.js';
import { configPath, directorYaml, socketPath } from './config.js';
import { startDaemons, untilRouted } from './daemons.js';
import { startKeepalived, untilHas } from './keepalived.js';
import { buildNetwork, finishNetwork, namespaces, processesIn, removeNetwork } from './network.js';
import { isRunning, type Running, saysReady, start, stop, untilReady } from './process.js';
import { type LabState, listStates, removeState, saveState } from './state.js';

/**
 * `director: false` does not start the director, for those who start it by hand or something else
 * in its place.
 */
export interface UpOptions {
  readonly device: LabDevice;
  readonly director?: boolean;
  /** The word behind the topology in the lab's id, in place of a random one. */
  readonly name?: string;
}

/** A lab of this process: its recorded state and its topology. */
export interface Lab extends LabState {
  readonly spec: Topology;
}

/**
 * Brings up a lab. If anything fails or `signal` aborts, everything is removed again. Throws a
 * LabError or a CommandError.
 */
export async function up(spec: Topology, options: UpOptions, signal?: AbortSignal): Promise<Lab> {
  const id = newId(spec.name, options.name);
  if (listStates().some((other) => other.id === id)) throw new LabError(`lab ${id} is up already`);
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
    if (spec.user !== undefined) giveDirectory(id, spec.user);
    await buildNetwork(spec, id, options.device);
    signal?.throwIfAborted();
    for (const host of spec.hosts.filter(({ role }) => role === 'director' || role === 'backup'))
      writeFileSync(configPath(id, host.name), directorYaml(spec, options.device, id, host));
    for (const server of servers(spec)) startServer(lab, server);
    for (const host of spec.hosts) if (host.vip && host.vip.dev !== 'lo') startDecapsulator(lab, host, host.vip.dev);
    const programs = [...lab.processes];
    await startDaemons(lab);
    const director = options.director === false ? undefined : startDirector(lab);
    await Promise.all(programs.map((running) => untilReady(running, () => saysReady(running))));
    if (director) await finish(lab, director);
    if (director) await finishPair(lab);
    signal?.throwIfAborted();
    return lab;
  } catch (error) {
    await down(lab);
    throw error;
  }
}

/** Marks the lab as one that outlives this process. */
export function markKept(lab: Lab): void {
  lab.kept = true;
  record(lab);
}

/** Records a process, so that it ends with the lab. */
export function track(lab: Lab, running: Running): Running {
  lab.processes.push(running);
  record(lab);
  return running;
}

function record({ spec: _, ...state }: Lab): void {
  mkdirSync(directoryOf(state.id), { recursive: true, mode: 0o700 });
  saveState(state);
}

/** The user must reach the configuration and make the control socket there. Throws a LabError. */
function giveDirectory(id: string, user: string): void {
  const ids = userIds(user);
  if (ids === undefined) throw new LabError(`--user ${user}: there is no such user`);
  chmodSync(STATE_DIRECTORY, 0o711);
  chownSync(directoryOf(id), ids.uid, ids.gid);
}

async function finish(lab: Lab, director: Running): Promise<void> {
  await directorReady(lab, director);
  await finishNetwork(lab.spec, lab.id, lab.device);
  if (lab.spec.fleet !== undefined) await untilRouted(lab.id, lab.spec.vips[0]!, 1);
}

/** Starts the second director and keepalived on both. Resolves when the first one has the VIP. */
async function finishPair(lab: Lab): Promise<void> {
  const { keepalived, hosts, vips } = lab.spec;
  if (keepalived === undefined) return;
  for (const { name } of hosts.filter(({ role }) => role === 'backup'))
    await directorReady(lab, startDirector(lab, name));
  // The first one alone: it need not wait for the other to give way.
  startVrrp(lab, DIRECTOR);
  await untilHas(lab.id, DIRECTOR, vips[0]!);
  for (const host of Object.keys(keepalived)) if (host !== DIRECTOR) startVrrp(lab, host);
}

/** Starts keepalived on a director. */
export function startVrrp(lab: Lab, host: string): Running {
  return track(lab, startKeepalived(lab.id, host, lab.spec.keepalived![host]!));
}

/** Starts a program of this project in the namespace of a host; `what` names its log. */
export function startProgram(lab: Lab, host: string, what: string, words: readonly string[]): Running {
  const log = `${directoryOf(lab.id)}/${what}.log`;
  return track(lab, start(what, namespaceOf(lab.id, host), log, [process.execPath, ...words]));
}

function startServer(
  lab: Lab,
  { name, host, addresses, http: httpPort, alsoHttp = [], echo, transparent }: Server,
): void {
  const ports = [httpPort, ...alsoHttp].join(',');
  const options = transparent ? ['--transparent'] : [];
  const words = [name, countPath(lab.id, name), ports, String(echo), ...addresses, ...options];
  startProgram(lab, host, name, [program('lab/programs/realserver.js'), ...words]);
}

function startDecapsulator(lab: Lab, { name }: Host, dev: string): void {
  startProgram(lab, name, `${name}-decapsulator`, [program('lab/programs/decapsulator.js'), dev, outerEnd(dev)]);
}

/**
 * Ends a service program or decapsulator if it runs, and starts it as the topology describes it,
 * with `change` applied. Throws a LabError if the lab has no program of that name.
 */
export async function restartProgram(lab: Lab, what: string, change: Partial<Server> = {}): Promise<void> {
  const server = servers(lab.spec).find(({ name }) => name === what);
  const host = lab.spec.hosts.find(({ name, vip }) => `${name}-decapsulator` === what && vip && vip.dev !== 'lo');
  if (!server && !host) throw new LabError(`lab ${lab.id} has no program ${what}`);
  await stopProgram(lab, what);
  if (server) startServer(lab, { ...server, ...change });
  else if (host) startDecapsulator(lab, host, host.vip!.dev);
  const running = lab.processes.at(-1)!;
  await untilReady(running, () => saysReady(running));
}

/** Ends the program of that name and removes it from the lab's record. */
export async function stopProgram(lab: Lab, what: string): Promise<void> {
  const old = lab.processes.filter((running) => running.what === what);
  await stop(old);
  for (const running of old) lab.processes.splice(lab.processes.indexOf(running), 1);
  rmSync(countPath(lab.id, what), { force: true });
  record(lab);
}

/** The name of the director's process. */
export const DIRECTOR = 'director';

/** Starts the director, or the backup. */
export function startDirector(lab: Lab, name = DIRECTOR): Running {
  const { user } = lab.spec;
  const words = user === undefined ? [] : ['--user', user];
  return startProgram(lab, name, name, [program('cli/main.js'), 'run', '-c', configPath(lab.id, name), ...words]);
}

/** Resolves when the director accepts connections on its control socket. */
export function directorReady(lab: Pick<LabState, 'id'>, running: Running): Promise<void> {
  return untilReady(running, () => listens(socketPath(lab.id, running.what)));
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

/** Characters of a command line that are shown. */
const SHOWN = 120;

/**
 * Ends the lab's processes and deletes its namespaces and files. It is no error if they are gone.
 * Returns a line for each other process in the namespaces: it goes on in one without a name.
 */
export async function down(lab: LabState): Promise<string[]> {
  await stop(lab.processes);
  const foreign = processesIn(lab.namespaces);
  await removeNetwork(lab.namespaces);
  removeState(lab.id);
  return foreign.map(
    ({ namespace, pid }) =>
      `still running in ${namespace}: ${argumentsOf(pid).join(' ').slice(0, SHOWN)}; \`kill ${pid}\` ends it`,
  );
}

/** The labs named `name`: by id, or by topology. Without a name all labs. */
export function findLabs(name?: string): LabState[] {
  return listStates().filter(({ id, topology }) => name === undefined || id === name || topology === name);
}

/** Whether all recorded processes of the lab are running. */
export function isHealthy(lab: LabState): boolean {
  return lab.processes.every(isRunning);
}

/** The counters of a service program, read from its Unix socket, not over the lab's network. */
export function countOf(id: string, name: string): Promise<Count> {
  return new Promise((resolve, reject) => {
    const request = http.get({ socketPath: countPath(id, name), path: '/count', agent: false }, (response) => {
      let body = '';
      response.on('data', (chunk) => (body += chunk)).on('end', () => resolve(JSON.parse(body) as Count));
    });
    request.on('error', reject);
  });
}
