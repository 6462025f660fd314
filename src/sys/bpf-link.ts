/**
 * bpf(2): links, which attach programs, and pins. When the last descriptor of a link is closed, its
 * program is detached. So a process that dies leaves nothing attached but what it has pinned.
 */
import { Attributes, pinned } from './bpf-call.js';
import { check, close, errno } from './libc.js';

const OBJ_PIN = 6;
const OBJ_GET = 7;
const OBJ_GET_INFO_BY_FD = 15;
const RAW_TRACEPOINT_OPEN = 17;
const LINK_CREATE = 28;
const LINK_UPDATE = 29;
const LINK_GET_FD_BY_ID = 30;
const LINK_GET_NEXT_ID = 31;
const LINK_DETACH = 34;
const ATTACH_XDP = 37;
const ATTACH_TCX_INGRESS = 46;
const ENOENT = 2;
/** enum bpf_link_type. */
export const LinkType = { xdp: 6, tcx: 11 } as const;
/** Bytes of struct bpf_link_info that are read. */
const LINK_INFO = 32;
/** Native mode: the driver runs the program, before the kernel allocates an skb. */
export const XDP_FLAGS_DRV_MODE = 4;
/** Generic mode: the stack runs the program on the skb. It works with every driver. */
export const XDP_FLAGS_SKB_MODE = 2;

/**
 * Attaches an XDP program to an interface and returns the file descriptor of the link. `flags`:
 * XDP_FLAGS_*_MODE. Throws a SystemError; EBUSY when the interface has another program.
 */
export function attachXdp(programFd: number, ifindex: number, flags: number): number {
  return check(new Attributes().words(0, programFd, ifindex, ATTACH_XDP, flags).run(LINK_CREATE), 'bpf LINK_CREATE');
}

/**
 * Attaches a program (loadTracepoint) to the tracepoint `name`, on all CPUs, and returns the file
 * descriptor of the link. Throws a SystemError; ENOENT where the kernel does not have it.
 */
export function attachTracepoint(programFd: number, name: string): number {
  const text = pinned(new TextEncoder().encode(`${name}\0`));
  const attributes = new Attributes().pointer(0, text).words(8, programFd);
  return check(attributes.run(RAW_TRACEPOINT_OPEN), 'bpf RAW_TRACEPOINT_OPEN');
}

/**
 * The index of the interface to which a link attaches its program; 0 when the program was taken
 * away, the interface is gone or the link is of another type (struct bpf_link_info). Throws a
 * SystemError.
 */
export function linkedInterface(link: number, type: number): number {
  const view = infoOf(link);
  return view.getUint32(0, true) === type ? view.getUint32(16, true) : 0;
}

/** The number of the program of a link, which only it has on this machine. Throws a SystemError. */
export function linkedProgram(link: number): number {
  return infoOf(link).getUint32(8, true);
}

/** struct bpf_link_info, its first bytes. Throws a SystemError. */
function infoOf(link: number): DataView {
  const info = pinned(new Uint8Array(LINK_INFO));
  check(new Attributes().words(0, link, LINK_INFO).pointer(8, info).run(OBJ_GET_INFO_BY_FD), 'bpf OBJ_GET_INFO_BY_FD');
  return new DataView(info.buffer);
}

/** Replaces the program of a link, without a moment without a program. Throws a SystemError. */
export function replaceProgram(link: number, programFd: number): void {
  check(new Attributes().words(0, link, programFd).run(LINK_UPDATE), 'bpf LINK_UPDATE');
}

/**
 * A descriptor of the first link of this machine for which `is` holds, which the caller closes;
 * undefined: there is none. Throws a SystemError without CAP_SYS_ADMIN.
 */
export function linkOf(is: (fd: number) => boolean): number | undefined {
  for (let id = nextLink(0); id !== 0; id = nextLink(id)) {
    const fd = new Attributes().words(0, id).run(LINK_GET_FD_BY_ID);
    if (fd < 0) continue;
    if (is(fd)) return fd;
    close(fd);
  }
  return undefined;
}

/** The id that follows `id`; 0: it was the last one. */
function nextLink(id: number): number {
  const attributes = new Attributes().words(0, id);
  const result = attributes.run(LINK_GET_NEXT_ID);
  if (result < 0 && errno() === ENOENT) return 0;
  check(result, 'bpf LINK_GET_NEXT_ID');
  return attributes.view.getUint32(4, true);
}

/**
 * Gives a map or link a name in a BPF file system, whose files keep it. Throws a SystemError,
 * EEXIST when the name is taken.
 */
export function pin(fd: number, path: string): void {
  check(
    new Attributes()
      .words(8, fd)
      .pointer(0, pinned(Buffer.from(`${path}\0`)))
      .run(OBJ_PIN),
    'bpf OBJ_PIN',
  );
}

/** A descriptor of what `pin` has named. Throws a SystemError. */
export function openPin(path: string): number {
  return check(new Attributes().pointer(0, pinned(Buffer.from(`${path}\0`))).run(OBJ_GET), 'bpf OBJ_GET');
}

/** Takes the program of a link off its interface; the link stays open. Throws a SystemError. */
export function detachLink(link: number): void {
  check(new Attributes().words(0, link).run(LINK_DETACH), 'bpf LINK_DETACH');
}

/**
 * Attaches a classifier to the ingress of an interface (tcx) and returns the file descriptor of the
 * link. Throws a SystemError; EINVAL before Linux 6.6.
 */
export function attachIngress(programFd: number, ifindex: number): number {
  const attributes = new Attributes().words(0, programFd, ifindex, ATTACH_TCX_INGRESS);
  return check(attributes.run(LINK_CREATE), 'bpf LINK_CREATE');
}
