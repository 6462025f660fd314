/**
 * Labs without root: the same command runs again in a user namespace, with all capabilities and its
 * own network, mounts and /run. What it creates there disappears when it ends.
 */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { kindOf, PLAIN_KIND } from '../../device/kinds.js';
import { LabError } from '../error.js';
import { type LabDevice, servers, type Topology } from '../topology.js';

const MARK = 'ULVS_ROOTLESS';
/** Keeps the user's own uid: as root tcpdump would try to drop its privileges and fail. */
const UNSHARE = ['-Ucnm', '--keep-caps'];
const PREPARE = 'mount -t tmpfs tmpfs /run && mkdir -p /run/netns && exec "$@"';

export function isRootless(): boolean {
  return process.env[MARK] === '1';
}

/** Whether this process may create namespaces: as root, or as the rerun in a user namespace. */
export function mayMakeNamespaces(): boolean {
  return process.getuid?.() === 0 || isRootless();
}

/**
 * Whether the lab needs /dev/net/tun: for a TAP device, or for packets between the director and the
 * kernel.
 */
function needsTun(spec: Topology, device: LabDevice): boolean {
  const toStack = spec.hosts.some(({ afterStart }) => afterStart !== undefined);
  return (
    kindOf(device).needs === '/dev/net/tun' ||
    toStack ||
    spec.fleet !== undefined ||
    servers(spec).some(({ host }) => host === 'director')
  );
}

/** Why this lab cannot run without root here; undefined if it can. */
export function rootlessObstacle(spec: Topology, device: LabDevice): string | undefined {
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
    return `lab ${name} needs /dev/net/tun, which this user may not open: run chmod 666 /dev/net/tun as root, once`;
  }
}

/**
 * Runs the command again in a user namespace and resolves with its exit code. Throws a LabError if
 * the kernel (or a container) allows no user namespace.
 */
export async function rerunRootless(): Promise<number> {
  const reason = await refusal();
  if (reason !== undefined)
    throw new LabError(`--rootless: the kernel allows no user namespace (${reason}); run the command as root instead`);
  const words = [...UNSHARE, 'sh', '-c', PREPARE, 'ulvs', process.execPath, ...process.argv.slice(1)];
  // An ordinary user's PATH lacks what only root used to need (nft, sysctl).
  const env = { ...process.env, [MARK]: '1', PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const child = spawn('unshare', words, { stdio: 'inherit', env });
  // Ctrl-C reaches the whole process group: the child cleans up while this process waits for it.
  const wait = () => {};
  process.on('SIGINT', wait).on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve) => child.on('close', (code) => resolve(code ?? 1)));
}

/** The error of unshare(1); undefined if it succeeds. */
function refusal(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('unshare', [...UNSHARE, 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', () => resolve('unshare is not installed'));
    child.on('close', (code) => resolve(code === 0 ? undefined : stderr.trim().split('\n')[0] || `exit ${code}`));
  });
}

/** Runs the user's shell in the user namespace, with more environment; resolves when it ends. */
export function shell(signal?: AbortSignal, more: Readonly<Record<string, string>> = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.env.SHELL || 'sh', { stdio: 'inherit', env: { ...process.env, ...more } });
    signal?.addEventListener('abort', () => child.kill('SIGHUP'));
    child.on('error', reject).on('close', () => resolve());
  });
}
