/**
 * DeviceHandle: an open device as plain data, which one thread opens and another one uses. The
 * control thread opens and closes, because the kernel may take many milliseconds for it, and the
 * worker goes on with its other devices meanwhile:
 *
 *     control   openHandle ─────────────────────────────► closeHandle ────► …
 *                   └─ message ─►                 ▲ message     └─ message ─►
 *     worker            deviceOn ─► rx, tx … ─► let go of it                   reclaim
 *
 * libpcap is the exception: its device belongs to the thread that opens it.
 */
import { CapDevice } from './cap.js';
import type { Device } from './device.js';
import type { FlowMapFds } from './flow/layout.js';
import type { PinnedLink } from './flow/pins.js';
import type { DeviceKind } from './kinds.js';
import type { OpenOptions } from './open.js';
import { packetFault, replaceFlowPrograms } from './packet/flow-programs.js';
import { adoptPacket, closePacket, openPacket, type PacketHandle, replaceFanout } from './packet/open.js';
import { PacketDevice } from './packet/packet.js';
import type { QueueShare } from './queue-share.js';
import { GsoTapDevice } from './tun/gso-tap.js';
import { closeTun, openTap, TapDevice, type TunHandle } from './tun/tap.js';
import type { Umem } from './umem.js';
import { XdpDevice } from './xdp/device.js';
import { adoptXdp, closeXdp, replaceXdp, type XdpHandle, xdpDetail, xdpFault } from './xdp/handle.js';
import type { InterceptMapFds } from './xdp/layout.js';
import { openXdp } from './xdp/open.js';
import type { FrameMemory } from './xdp/open-socket.js';

/** A device of libpcap: it is opened by the thread that uses it. */
interface CapHandle {
  readonly name: string;
}

/** What the workers of one device share; the index of the worker is added. */
export type Share = Omit<QueueShare, 'index'> | undefined;

/** What each kind's handle has. */
interface Parts {
  readonly xdp: XdpHandle;
  readonly packet: PacketHandle;
  readonly tap: TunHandle;
  readonly cap: CapHandle;
}

/** An open device. */
export type DeviceHandle = { readonly [K in DeviceKind]: { readonly kind: K } & Parts[K] }[DeviceKind];

/** What one kind does. */
interface Kind<K extends DeviceKind> {
  open(memory: FrameMemory, name: string, options: OpenOptions): Parts[K];
  close(handle: Parts[K]): void;
  /** `waits`: as deviceOn. */
  on(umem: Umem, handle: Parts[K], waits: boolean): Device;
  /** How the device works on its interface; '' when there is nothing to say. */
  detail?(handle: Parts[K]): string;
  /** As `faultOf`. */
  fault?(handle: Parts[K]): string;
  /** As `adoptHandle`; absent: the device cannot change its process. */
  adopt?(handle: Parts[K], take: (fd: number) => number): Parts[K];
  /** As `underOwn`; absent: nothing of this process is in the handles. */
  own?(
    handles: readonly Parts[K][],
    maps: InterceptMapFds | undefined,
    share: Share,
    flows: FlowMapFds | undefined,
  ): readonly Parts[K][];
}

const rows: { readonly [K in DeviceKind]: Kind<K> } = {
  xdp: {
    open: (memory, name, { promiscuous = false, maps, entries, share, sharing, flows, link }) =>
      openXdp(memory, name, {
        promiscuous,
        flows,
        link,
        share,
        sharing,
        intercept: maps ?? 'nothing',
        ...(entries !== undefined && { entries }),
      }),
    close: closeXdp,
    on: (umem, handle, waits) => new XdpDevice(umem, handle, { waits }),
    detail: xdpDetail,
    fault: xdpFault,
    adopt: adoptXdp,
    own: (handles, maps, share, flows) =>
      maps === undefined ? handles : replaceXdp(handles, maps, share?.xsks, flows),
  },
  packet: {
    open: (_, name, { promiscuous = false, share, flows, link, gso = false }) =>
      openPacket(name, { promiscuous, share, flows, link, gso }),
    close: closePacket,
    on: (umem, handle) => new PacketDevice(umem, handle),
    adopt: adoptPacket,
    fault: packetFault,
    own: (handles, _, share, flows) => {
      if (share?.program !== undefined) replaceFanout(handles, share.program);
      return flows?.tcx === true ? replaceFlowPrograms(handles, flows) : handles;
    },
  },
  tap: {
    open: (_, name, { mtu, gso = false }) => openTap(name, { gso, ...(mtu !== undefined && { mtu }) }),
    close: closeTun,
    on: (umem, handle) => (handle.gso === true ? new GsoTapDevice(umem, handle) : new TapDevice(umem, handle)),
    adopt: (handle, take) => ({ ...handle, fd: take(handle.fd) }),
  },
  cap: {
    open: (_, name) => ({ name }),
    close: () => {},
    on: (umem, { name }) => new CapDevice(umem, name),
  },
};

function rowOf(kind: DeviceKind): Kind<DeviceKind> {
  return rows[kind] as unknown as Kind<DeviceKind>;
}

/** Opens interface `name`. `memory`: the frames of its worker. Throws a DeviceError. */
export function openHandle(memory: FrameMemory, name: string, kind: DeviceKind, options: OpenOptions): DeviceHandle {
  return { kind, ...rowOf(kind).open(memory, name, options) } as DeviceHandle;
}

/** Closes what openHandle has opened. No thread may use the device any more. */
export function closeHandle(handle: DeviceHandle): void {
  rowOf(handle.kind).close(handle as Parts[DeviceKind]);
}

/**
 * The device of a handle, for the calling thread. `waits`: another process uses it until `resume`.
 * Throws a DeviceError for libpcap.
 */
export function deviceOn(umem: Umem, handle: DeviceHandle, waits = false): Device {
  return rowOf(handle.kind).on(umem, handle as Parts[DeviceKind], waits);
}

/** The kind, and how the device works on its interface, for the log. */
export function describe(handle: DeviceHandle): string {
  const detail = rowOf(handle.kind).detail?.(handle as Parts[DeviceKind]) ?? '';
  return detail === '' ? handle.kind : `${handle.kind} (${detail})`;
}

/**
 * Why the device receives nothing any more though its interface is there; '' while it works. It may
 * wait for the kernel: not for a thread that forwards.
 */
export function faultOf(handle: DeviceHandle): string {
  return rowOf(handle.kind).fault?.(handle as Parts[DeviceKind]) ?? '';
}

/** The device can go on in another process. */
export function canChangeProcess(kind: DeviceKind): boolean {
  return rowOf(kind).adopt !== undefined;
}

/**
 * The handle of another process as one of this process: `take` gives a duplicate of a descriptor.
 * Rings are mapped again. Throws a SystemError.
 */
export function adoptHandle(handle: DeviceHandle, take: (fd: number) => number): DeviceHandle {
  const { kind } = handle;
  return { kind, ...rowOf(kind).adopt!(handle as Parts[DeviceKind], take) } as DeviceHandle;
}

/**
 * Puts the handles of a device, by worker, which were adopted, under the intercept maps and the
 * share of this process: programs are replaced without a moment without one. Returns the handles.
 * Throws a SystemError.
 */
export function underOwn(
  handles: readonly DeviceHandle[],
  maps: InterceptMapFds | undefined,
  share: Share,
  flows: FlowMapFds | undefined,
): DeviceHandle[] {
  const { kind } = handles[0]!;
  const own = rowOf(kind).own?.(handles as readonly Parts[DeviceKind][], maps, share, flows) ?? handles;
  return own.map((handle) => ({ ...handle, kind }) as DeviceHandle);
}

/** The share with which adopted handles were opened, where they know it. */
export function shareIn(handles: readonly DeviceHandle[], share: Share): Share {
  const [first] = handles;
  return share !== undefined && first?.kind === 'packet' ? { ...share, group: first.group } : share;
}

/** The handle whose ring is read from `position` on. */
export function fromPosition(handle: DeviceHandle, position: number): DeviceHandle {
  return handle.kind === 'packet' ? { ...handle, ring: { ...handle.ring, begin: position } } : handle;
}

/** An open AF_XDP socket with the Umem of these handles; undefined: there is none. */
export function sharingSocket(handles: readonly (DeviceHandle | undefined)[]): number | undefined {
  for (const handle of handles)
    if (handle?.kind === 'xdp' && handle.sockets[0] !== undefined) return handle.sockets[0].fd;
  return undefined;
}

/**
 * The BPF link that keeps the program of a handle attached, and how; undefined: it has none, as all
 * workers but one.
 */
export function programLink(handle: DeviceHandle): PinnedLink | undefined {
  if (handle.kind === 'xdp') return handle.link < 0 ? undefined : { fd: handle.link, mode: handle.mode };
  if (handle.kind !== 'packet' || handle.link === undefined) return undefined;
  return { fd: handle.link, mode: 'tcx' };
}

/** Index of the interface; undefined where the handle does not follow an interface of the host. */
export function ifindexOf(handle: DeviceHandle): number | undefined {
  return 'ifindex' in handle ? handle.ifindex : undefined;
}
