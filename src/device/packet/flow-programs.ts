/**
 * The two programs by which the kernel forwards what comes in by a packet device (flow/skb.ts): the
 * filter of each worker's socket, and one classifier at the ingress of the interface, which the
 * worker that opens first attaches.
 *
 *     open    classifier, then filters         a filter that claims a packet finds the classifier there
 *     close   sockets, then the classifier
 */
import { loadClassifier, loadSocketFilter } from '../../sys/bpf.js';
import { attachIngress, LinkType, linkedInterface, replaceProgram } from '../../sys/bpf-link.js';
import { close, SystemError } from '../../sys/libc.js';
import { setFilter } from '../../sys/packet-socket.js';
import type { FlowMapFds } from '../flow/layout.js';
import type { PinnedLink } from '../flow/pins.js';
import { classifierProgram, filterProgram, nextProgram } from '../flow/skb.js';
import type { QueueShare } from '../queue-share.js';

const LOOPBACK = 1;

/** An open socket of an interface. */
interface Opened {
  readonly fd: number;
  readonly ifindex: number;
  readonly flows?: FlowMapFds | undefined;
  readonly share?: QueueShare | undefined;
  /** The classifier of a former process is attached by it. */
  readonly link?: PinnedLink | undefined;
}

/** An adopted socket; `link` as of PacketHandle. */
interface Adopted {
  readonly fd: number;
  readonly ifindex: number;
  readonly link?: number | undefined;
}

/**
 * Returns the BPF link of the classifier; undefined: there is none, or another worker has it.
 * Throws a SystemError.
 */
export function openFlowPrograms({ fd, ifindex, flows, share, link: before }: Opened): number | undefined {
  if (flows === undefined || !flows.tcx) return undefined;
  const isFirst = share === undefined || share.index === share.count - 1;
  const link = isFirst ? linkTo(flows, ifindex, before?.fd) : undefined;
  try {
    setFlowFilter(fd, flows);
  } catch (error) {
    if (link !== undefined) close(link);
    throw error;
  }
  return link;
}

/** Attaches the classifier, or puts it in the place of that of a link. */
function linkTo(flows: FlowMapFds, ifindex: number, link: number | undefined): number {
  return use(loadClassifier(classifierProgram({ fds: flows })), (program) => {
    if (link === undefined) return attachIngress(program, ifindex);
    replaceProgram(link, program);
    return link;
  });
}

/**
 * Adopted sockets, by worker, forward by the flow table of this process. Returns them with their
 * links. Throws a SystemError.
 */
export function replaceFlowPrograms<T extends Adopted>(handles: readonly T[], flows: FlowMapFds): T[] {
  const owner = handles.find(({ link }) => link !== undefined) ?? handles.at(-1)!;
  const link = linkTo(flows, owner.ifindex, owner.link);
  for (const { fd } of handles) setFlowFilter(fd, flows);
  return handles.map((handle) => (handle === owner ? { ...handle, link } : handle));
}

function setFlowFilter(fd: number, fds: FlowMapFds): void {
  use(loadSocketFilter(filterProgram({ fds })), (program) => setFilter(fd, program));
}

/** The kernel keeps a program that is attached. */
function use<T>(program: number, then: (program: number) => T): T {
  try {
    return then(program);
  } finally {
    close(program);
  }
}

/** The kernel has tcx. Attaches a program to the loopback interface for a moment. */
export function hasTcx(): boolean {
  try {
    close(use(loadClassifier(nextProgram()), (program) => attachIngress(program, LOOPBACK)));
    return true;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}

/** The classifier was taken off the interface (bpftool link detach); '' while it is there. */
export function packetFault({ link, ifindex }: Adopted): string {
  return link !== undefined && linkedInterface(link, LinkType.tcx) !== ifindex ? 'its classifier was taken away' : '';
}
