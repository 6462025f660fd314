/**
 * A lab without root: this very command again, with all rights in a user namespace that has a network, mounts and a /run of its
 * own. What it makes there is gone when it ends.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { kindOf, PLAIN_KIND } from '../../device/kinds.js';
import { LabError } from '../error.js';
import { type LabDevice, servers, type Topology } from '../topology.js';

const MARK = 'ULVS_ROOTLESS';
/** As the user himself, not as root: tcpdump would want to give up what a root has, and may not. */
const UNSHARE = ['-Ucnm', '--keep-caps'];
const PREPARE = 'mount -t tmpfs tmpfs /run && mkdir -p /run/netns && exec "$@"';

export function isRootless(): boolean {
  return process.env[MARK] === '1';
}

/** Root, or ourselves in a user namespace. */
export function mayMakeNamespaces(): boolean {
  return process.getuid?.() === 0 || isRootless();
}

/** Whether the lab needs /dev/net/tun: a TAP, or packets between the director and its own stack. */
function needsTun(spec: Topology, device: LabDevice): boolean {
  const toStack = spec.hosts.some(({ late }) => late !== undefined);
  return kindOf(device).needs === '/dev/net/tun' || toStack || servers(spec).some(({ host }) => host === 'director');
}

/** Why this lab cannot be had without root here; undefined when it can. */
export function lacking(spec: Topology, device: LabDevice): string | undefined {
  if (!isRootless()) return undefined;
  if (kindOf(device).needs === 'bpf')
    return `lab ${spec.name} with ${device} devices needs root: no user namespace may load BPF programs; --device ${PLAIN_KIND} needs none`;
  return needsTun(spec, device) ? lacksTun(spec.name) : undefined;
}

function lacksTun(name: string): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return `lab ${name} needs /dev/net/tun, which is not open to this user: chmod 666 /dev/net/tun as root, once`;
  }
}

/** Resolves with the exit code. LabError where the kernel (or a container) allows no user namespaces. */
export async function againRootless(): Promise<number> {
  const reason = await refusal();
  if (reason !== undefined)
    throw new LabError(`--rootless: no user namespace to be had here (${reason}); run it as root instead`);
  const words = [...UNSHARE, 'sh', '-c', PREPARE, 'ulvs', process.execPath, ...process.argv.slice(1)];
  // An ordinary user's PATH lacks what only root used to need (nft, sysctl).
  const env = { ...process.env, [MARK]: '1', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const child = spawn('unshare', words, { stdio: 'inherit', env });
  // ctrl-C reaches the whole group: the child cleans up, and we wait for it.
  const wait = () => {};
  process.on('SIGINT', wait).on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}

/** What unshare complains of; undefined when it works. */
function refusal(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('unshare', [...UNSHARE, 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    child.on('error', () => resolve('unshare is not installed'));
    child.on('close', (code) => resolve(code === 0 ? undefined : said.trim().split('\n')[0] || `exit ${code}`));
  });
}

/** The user's shell, inside; resolves when it ends. */
export function shell(signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.SHELL || 'sh', { stdio: 'inherit' });
    signal?.addEventListener('abort', () => child.kill('SIGHUP'));
    child.on('error', reject).on('close', () => resolve());
  });
}
