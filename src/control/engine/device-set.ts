/**
 * DeviceSet: the open devices of a director and the frames of its workers. The control thread owns
 * them; the workers use them (device/handle.ts). So an interface can be opened and closed while the
 * workers forward by the others, and a worker that dies leaves nothing behind that nobody can
 * close.
 *
 *                 device 0   device 1   …   TUN into the host's stack
 *     worker 0    handle     none           handle                       frames
 *     worker 1    handle     none           handle                       frames
 *                            └─ its interface is away
 */
import { DeviceError } from '../../device/error.js';
import { DEVICES } from '../../device/flow/layout.js';
import type { FlowMaps } from '../../device/flow/maps.js';
import type { PinnedLink } from '../../device/flow/pins.js';
import {
  closeHandle,
  type DeviceHandle,
  describe,
  fromPosition,
  ifindexOf,
  openHandle,
  programLink,
  type Share,
  shareIn,
  sharingSocket,
  underOwn,
} from '../../device/handle.js';
import { kindOf } from '../../device/kinds.js';
import { openHostTun } from '../../device/tun/host.js';
import { closeTun, type TunHandle } from '../../device/tun/tap.js';
import { frameSizeFor, framesFor, makeUmem, removeUmem, type UmemMemory } from '../../device/umem-memory.js';
import { takesRedirected } from '../../netlink/xdp-features.js';
import type { DeviceSetup } from './messages.js';
import type { Transfer } from './transfer.js';

/** As many as a receive batch has frames: 4.25 MiB. */
const LARGE_FRAMES = 64;

function forwardsGso({ kind, gso }: DeviceSetup): boolean {
  return gso === 'auto' && kindOf(kind).options.includes('gso');
}

/** All open devices. */
export class DeviceSet {
  /** By worker. */
  readonly memories: UmemMemory[] = [];
  /** By device, then by worker. */
  private readonly handles: ((DeviceHandle | undefined)[] | undefined)[];
  private readonly shares: Share[] = [];
  /** By worker; empty: there is none. */
  readonly tuns: TunHandle[] = [];
  private readonly frames: { frames: number; entries: number };
  private readonly frameSize: number;
  /**
   * Number of large frames of a worker. A hand-off ring has no room for one; and with offload the
   * programs forward GSO packets in one piece, and count their segments.
   */
  private readonly large: number;

  /**
   * `shareOf`: makes what the workers of a device share, for each opening anew. `adopted`: what
   * another process gives.
   */
  constructor(
    readonly devices: readonly DeviceSetup[],
    private readonly workers: number,
    private readonly shareOf: (device: DeviceSetup) => Share = () => undefined,
    adopted?: Transfer,
    /** Flow table of the programs; undefined: there is no offload. */
    readonly flows?: FlowMaps,
  ) {
    const posting = devices.filter(({ kind }) => kindOf(kind).postsFrames).map(({ name }) => name);
    this.handles = devices.map(() => undefined);
    this.frameSize = frameSizeFor(devices.map(({ mtu }) => mtu));
    this.large = workers === 1 && flows === undefined && devices.some(forwardsGso) ? LARGE_FRAMES : 0;
    this.frames = framesFor(posting, this.frameSize, workers);
    if (adopted !== undefined) this.adopt(adopted);
    else for (let i = 0; i < workers; i++) this.memories.push(makeUmem(this.frames.frames, this.frameSize, this.large));
  }

  /** What another process needs to go on with the devices. */
  get transfer(): Transfer {
    return {
      memories: this.memories,
      tuns: this.tuns,
      handles: this.handles.map((handles) => handles?.map((handle) => handle ?? null) ?? null),
      flows: this.flows?.fds,
      ports: this.devices.map(({ maps }) => maps?.ports ?? -1),
    };
  }

  private adopt({ memories, tuns, handles }: Transfer): void {
    this.memories.push(...memories);
    this.tuns.push(...tuns);
    handles.forEach((all, i) => {
      this.handles[i] = all?.map((handle) => handle ?? undefined);
    });
  }

  /** The rings are read from these positions on, by worker and device. */
  goOnFrom(positions: readonly (readonly number[])[]): void {
    this.handles.forEach((handles, i) => {
      this.handles[i] = handles?.map((handle, worker) => handle && fromPosition(handle, positions[worker]?.[i] ?? 0));
    });
  }

  /**
   * Programs that were adopted get the intercept maps of this process. Until then they intercept
   * what they did in the other one. Throws a SystemError.
   */
  useOwnMaps(): void {
    this.devices.forEach((device, i) => {
      const handles = this.handles[i]?.filter((handle) => handle !== undefined);
      if (handles === undefined || handles.length === 0) return;
      const share = shareIn(handles, this.shareOf(device));
      this.shares[i] = share;
      this.handles[i] = underOwn(handles, device.maps, share, this.flows?.fds);
      this.keepLink(i);
      this.redirectTo(i);
    });
  }

  /** The device is open. */
  isOpen(device: number): boolean {
    return this.handles[device] !== undefined;
  }

  /** The handles of a worker, by device; undefined: its interface is away. */
  of(worker: number): (DeviceHandle | undefined)[] {
    return this.handles.map((handles) => handles?.[worker]);
  }

  /** All handles, by device, then by worker; empty where its interface is away. */
  get allHandles(): readonly (readonly (DeviceHandle | undefined)[])[] {
    return this.handles.map((handles) => handles ?? []);
  }

  /** The handles of a device, by worker. The device must be open. */
  handlesOf(device: number): readonly (DeviceHandle | undefined)[] {
    return this.handles[device]!;
  }

  /** Index of the interface of an open device; undefined: it is closed, or follows none. */
  ifindexOf(device: number): number | undefined {
    const handle = this.handles[device]?.[0];
    return handle === undefined ? undefined : ifindexOf(handle);
  }

  /**
   * Opens a device for all workers, the first one last: its XDP program feeds the sockets of all.
   * Returns how it works, for the log. Throws a DeviceError; then it is closed.
   */
  open(device: number): string {
    const setup = this.devices[device]!;
    this.shares[device] = this.shareOf(setup);
    const opened: DeviceHandle[] = [];
    const link = this.inheritedLink(device);
    try {
      for (let worker = this.workers - 1; worker >= 0; worker--) opened.unshift(this.openFor(worker, device, link));
    } catch (error) {
      for (const handle of opened) closeHandle(handle);
      throw error;
    }
    this.handles[device] = opened;
    this.keepLink(device);
    this.redirectTo(device);
    return describe(opened[0]!);
  }

  /**
   * Programs redirect packets to an open device that can take them. One line serves all programs:
   * where some are XDP's, each device must take frames.
   */
  private redirectTo(device: number): void {
    if (this.flows === undefined) return;
    const ifindex = this.forwards(device) ? this.ifindexOf(device) : undefined;
    const takesFrames = ifindex !== undefined && takesRedirected(ifindex);
    const isTaking = takesFrames || !this.devices.some(({ kind }) => kindOf(kind).offload === 'frames');
    this.flows.setDevice(device, isTaking ? (ifindex ?? 0) : 0, takesFrames);
  }

  private forwards(device: number): boolean {
    const { offload } = kindOf(this.devices[device]!.kind);
    return offload === 'frames' || (offload === 'skbs' && this.flows!.fds.tcx);
  }

  /** The link of a program that a former process has left attached. */
  private inheritedLink(device: number): PinnedLink | undefined {
    return this.flows?.pins?.openLink(device, this.devices[device]!.name);
  }

  /** The program of a device stays attached when this process is killed. */
  private keepLink(device: number): void {
    for (const handle of this.handles[device] ?? []) {
      const link = handle && programLink(handle);
      if (link !== undefined) this.flows?.pins?.keepLink(device, link.fd, link.mode);
    }
  }

  private openFor(worker: number, device: number, link?: PinnedLink): DeviceHandle {
    const { name, kind, mtu, promiscuous, gso, maps } = this.devices[device]!;
    const share = this.shares[device];
    return openHandle(this.memories[worker]!, name, kind, {
      mtu,
      promiscuous,
      gso: gso === 'auto' && this.large > 0,
      maps,
      entries: this.frames.entries,
      sharing: sharingSocket(this.of(worker)),
      share: share && { ...share, index: worker },
      flows: device < DEVICES ? this.flows?.fds : undefined,
      link,
    });
  }

  /** Closes a device. No worker may use it any more. */
  close(device: number): void {
    for (const handle of this.handles[device] ?? []) if (handle !== undefined) closeHandle(handle);
    this.handles[device] = undefined;
    this.flows?.setDevice(device, 0);
    this.flows?.pins?.dropLink(device);
  }

  /**
   * Opens a TUN into the host's stack for each worker. Returns lines for the log. Without
   * /dev/net/tun, as in some user namespaces, all works but packets for the host itself.
   */
  openTuns(): string[] {
    if (this.tuns.length > 0) return [];
    try {
      return this.memories.flatMap((_, worker) => this.openTun(worker));
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      return [`packets for the host itself are lost: ${error.message}`];
    }
  }

  private openTun(worker: number): string[] {
    const { tun, warnings } = openHostTun(this.tuns[worker]?.name);
    this.tuns[worker] = tun;
    return worker === 0 ? warnings : [];
  }

  /**
   * Opens all devices and the frames of one worker anew, after it has died. Devices whose interface
   * is away stay closed. Throws a DeviceError.
   */
  renew(worker: number): void {
    const tun = this.tuns[worker];
    const links = this.handles.map((handles, device) => {
      const handle = handles?.[worker];
      const link = handle && programLink(handle) && this.inheritedLink(device);
      if (handle !== undefined) closeHandle(handle);
      if (handles !== undefined) handles[worker] = undefined;
      return link;
    });
    if (tun !== undefined) closeTun(tun);
    removeUmem(this.memories[worker]!);
    this.memories[worker] = makeUmem(this.frames.frames, this.frameSize, this.large);
    this.handles.forEach((handles, device) => {
      if (handles !== undefined) handles[worker] = this.openFor(worker, device, links[device]);
    });
    if (tun !== undefined) this.openTun(worker);
  }

  /** Closes everything. No worker may run any more. */
  closeAll(): void {
    for (let device = 0; device < this.devices.length; device++) this.close(device);
    for (const tun of this.tuns.splice(0)) closeTun(tun);
    for (const memory of this.memories.splice(0)) removeUmem(memory);
    this.flows?.pins?.remove();
    this.flows?.close();
  }
}
