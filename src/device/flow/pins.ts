/**
 * FlowPins: the maps of a flow table and the links of its programs in a BPF file system. They keep
 * the programs attached when the process is killed, so that the kernel goes on with established
 * connections until the next process of the same state opens the same maps.
 *
 *     /sys/fs/bpf/ulvs-<state, network namespace>/  control  buckets  …  link-0-native  link-1-tcx
 *
 * A director that stops removes them. A program whose director never comes back stops to forward
 * when its time is over (layout.ts, alive until).
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { LinkType, linkedInterface, openPin, pin } from '../../sys/bpf-link.js';
import { close, ifNameToIndex } from '../../sys/libc.js';
import { FLOW_MAPS, type FlowMapFds, type FlowMapName } from './layout.js';

const USUAL = '/sys/fs/bpf';

/** A link that keeps a program attached. `mode`: how it is attached. */
export interface PinnedLink {
  readonly fd: number;
  readonly mode: string;
}

/** Where a BPF file system is mounted. `ip netns exec` hides the usual place. */
function fileSystem(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const places = mounts.flatMap((line) => (line.split(' ')[2] === 'bpf' ? line.split(' ')[1]! : []));
  return places.includes(USUAL) ? USUAL : places[0];
}

/** Name of their directory. `namespace`: the network namespace, as `/proc/PID/ns/net` says it. */
export function pinsName(state: string, namespace: string): string {
  const words = `${path.resolve(state)} ${namespace}`;
  return `ulvs-${createHash('sha256').update(words).digest('hex').slice(0, 16)}`;
}

/** The link's program is attached to this interface. */
function isLinkedTo({ fd, mode }: PinnedLink, name: string): boolean {
  const type = mode === 'tcx' ? LinkType.tcx : LinkType.xdp;
  return linkedInterface(fd, type) === ifNameToIndex(name);
}

export class FlowPins {
  private constructor(private readonly directory: string) {}

  /** Those of a director with this state directory; undefined: there is no BPF file system. */
  static of(state: string): FlowPins | undefined {
    const root = fileSystem();
    if (root === undefined) return undefined;
    return new FlowPins(path.join(root, pinsName(state, readlinkSync('/proc/self/ns/net'))));
  }

  /** A process has left them. */
  get exist(): boolean {
    return existsSync(this.directory);
  }

  /** Keeps the maps. Throws a SystemError, or an Error of the file system. */
  create(fds: FlowMapFds): void {
    mkdirSync(this.directory, { mode: 0o700 });
    for (const name of FLOW_MAPS) pin(fds[name], this.at(name));
  }

  /** A descriptor of a map. Throws a SystemError. */
  open(name: FlowMapName): number {
    return openPin(this.at(name));
  }

  /**
   * The link of a device, opened; undefined: there is none to interface `name`, and one to another
   * interface is dropped. Throws a SystemError.
   */
  openLink(device: number, name: string): PinnedLink | undefined {
    const file = this.linkName(device);
    if (file === undefined) return undefined;
    const link = { fd: openPin(this.at(file)), mode: file.split('-')[2]! };
    if (isLinkedTo(link, name)) return link;
    close(link.fd);
    this.dropLink(device);
    return undefined;
  }

  /** Keeps the link of a device, unless it is there. Throws a SystemError. */
  keepLink(device: number, fd: number, mode: string): void {
    if (this.exist && this.linkName(device) === undefined) pin(fd, this.at(`link-${device}-${mode}`));
  }

  /** The program is detached once nobody has the link open. */
  dropLink(device: number): void {
    const name = this.linkName(device);
    if (name !== undefined) unlinkSync(this.at(name));
  }

  /** Nothing is kept any more. */
  remove(): void {
    if (!this.exist) return;
    for (const name of readdirSync(this.directory)) unlinkSync(this.at(name));
    rmdirSync(this.directory);
  }

  private linkName(device: number): string | undefined {
    return this.exist ? readdirSync(this.directory).find((name) => name.startsWith(`link-${device}-`)) : undefined;
  }

  private at(name: string): string {
    return path.join(this.directory, name);
  }
}
