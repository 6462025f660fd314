/**
 * An interface that is open for AF_XDP, as plain data: valid in every thread of the process, taken
 * over by another process, given another program, closed.
 *
 *     openXdp (open.ts) ─► XdpHandle ─┬─ adoptXdp ───► XdpHandle of the next process
 *                                     ├─ replaceXdp ─► the same sockets, another program
 *                                     └─ closeXdp
 */
import { createMap, loadXdp, MapType, updateMap } from '../../sys/bpf.js';
import { LinkType, linkedInterface, replaceProgram } from '../../sys/bpf-link.js';
import { receiveQueues } from '../../sys/interface.js';
import { close, epollOf } from '../../sys/libc.js';
import { DeviceError } from '../error.js';
import type { FlowMapFds } from '../flow/layout.js';
import { type OffloadName, turnOn } from '../offload.js';
import type { XdpMode } from './attach.js';
import type { InterceptMapFds } from './layout.js';
import { adoptXdpSocket, closeXdpSocket, type XdpSocketHandle } from './open-socket.js';
import { xdpProgram } from './program.js';

/** An open interface as plain data, valid in every thread of the process. */
export interface XdpHandle {
  readonly name: string;
  readonly ifindex: number;
  /** Receive queues of the interface when it was opened. */
  readonly queues: number;
  readonly sockets: readonly XdpSocketHandle[];
  /** Socket that only sends, for a worker that has no queue; −1: none. */
  readonly sender: number;
  /** BPF link of the program; −1: another worker has attached it. */
  readonly link: number;
  /** To close, in this order: the program before the sockets that it feeds. */
  readonly descriptors: readonly number[];
  /** Descriptor to wait on; −1: none. */
  readonly poll: number;
  readonly mode: XdpMode;
  /** Why the mode is not native; '' when it is. */
  readonly reason: string;
  /** Frames may have partial checksums. */
  readonly completes: boolean;
  readonly turnedOff: readonly OffloadName[];
  /** The program takes frames in several buffers; absent in what an older process gives: false. */
  readonly frags?: boolean;
}

/** What of an interface is open: all, or so far. */
export interface Opening {
  readonly sockets: XdpSocketHandle[];
  readonly descriptors: number[];
  turnedOff: OffloadName[];
  sender: number;
}

/** Closes everything. Frames that the kernel had are then to be reclaimed. */
export function closeXdp({ name, sockets, descriptors, turnedOff, sender }: XdpHandle): void {
  release(name, { sockets: [...sockets], descriptors: [...descriptors], turnedOff: [...turnedOff], sender });
}

/** The handle of another process as one of this process. Throws a SystemError. */
export function adoptXdp(handle: XdpHandle, take: (fd: number) => number): XdpHandle {
  const sockets = handle.sockets.map((socket) => adoptXdpSocket(socket, take(socket.fd)));
  const descriptors = handle.descriptors.filter((fd) => fd !== handle.poll).map(take);
  const fds = sockets.map(({ fd }) => fd);
  const poll = fds.length > 1 ? epollOf(fds) : (fds[0] ?? -1);
  if (fds.length > 1) descriptors.unshift(poll);
  return { ...handle, sockets, descriptors, poll, sender: take(handle.sender), link: take(handle.link) };
}

/**
 * Replaces the program of an open interface by one with other intercept maps, which feeds the same
 * sockets. The link stays, so that no frame finds no program. `handles`: by worker. `shared`: the
 * XSKMAP of several workers. Returns the handles. Throws a SystemError.
 */
export function replaceXdp(
  handles: readonly XdpHandle[],
  maps: InterceptMapFds,
  shared?: number,
  flows?: FlowMapFds,
): XdpHandle[] {
  const [first, ...others] = handles as [XdpHandle, ...XdpHandle[]];
  const xsks = shared ?? createXskMap(first.queues);
  for (const socket of handles.flatMap(({ sockets }) => sockets)) addSocket(xsks, socket);
  const program = loadXdp(xdpProgram(xsks, maps, flows), first.frags);
  replaceProgram(first.link, program);
  const own = shared === undefined ? [program, xsks] : [program];
  return [{ ...first, descriptors: [...first.descriptors, ...own] }, ...others];
}

/** Gives the program the socket of a queue. */
export function addSocket(xsks: number, { queue, fd }: XdpSocketHandle): void {
  updateMap(xsks, new Uint8Array(Uint32Array.of(queue).buffer), new Uint8Array(Uint32Array.of(fd).buffer));
}

/** Mode and copy mode of an open interface; the reason when the mode is not native. */
export function xdpDetail({ sockets, mode, reason }: XdpHandle): string {
  const copies = sockets.every(({ zeroCopy }) => zeroCopy) ? 'zero-copy' : 'copy mode';
  return `${mode}, ${copies}${reason === '' ? '' : `; ${reason}`}`;
}

/**
 * The program was taken off the interface (bpftool link detach), or the interface has another
 * number of queues than when it was opened (ethtool -L); '' for neither.
 */
export function xdpFault({ link, ifindex, queues, name }: XdpHandle): string {
  if (link < 0) return '';
  if (linkedInterface(link, LinkType.xdp) !== ifindex) return 'its XDP program was taken away';
  return receiveQueues(name) === queues ? '' : 'it has another number of receive queues';
}

/** The map of sockets by queue. Returns its descriptor. */
export function createXskMap(queues: number): number {
  return createMap({ type: MapType.xskMap, keySize: 4, valueSize: 4, entries: queues });
}

/** Closes what is open, and turns on again what was turned off. */
export function release(name: string, { sockets, descriptors, sender, turnedOff }: Opening): void {
  for (const fd of descriptors.splice(0)) close(fd);
  for (const one of sockets.splice(0)) closeXdpSocket(one);
  if (sender >= 0) close(sender);
  switched(turnOn, name, turnedOff.splice(0));
}

/** Switches offloads; undefined when the driver cannot, or when the interface is gone. */
export function switched<T>(
  turn: (name: string, offloads: readonly OffloadName[]) => T,
  name: string,
  which: OffloadName[],
) {
  try {
    return turn(name, which);
  } catch (error) {
    if (error instanceof DeviceError) return undefined;
    throw error;
  }
}
