/**
 * Attaches an XDP program to an interface: in native mode (the driver runs it) if possible, else in
 * generic mode.
 */
import {
  attachXdp,
  detachLink,
  linkedProgram,
  linkOf,
  XDP_FLAGS_DRV_MODE,
  XDP_FLAGS_SKB_MODE,
} from '../../sys/bpf-link.js';
import { close, SystemError } from '../../sys/libc.js';
import { DeviceError, deviceError } from '../error.js';

export type XdpMode = 'native' | 'generic';

export interface Attached {
  /**
   * File descriptor of the BPF link. Closing it detaches the program; so does the end of the
   * process.
   */
  readonly link: number;
  readonly mode: XdpMode;
  /** Why the mode is not native; '' when it is, or when generic was wanted. */
  readonly reason: string;
}

/** Attaches `program`. `only`: in this mode or not at all. Throws a SystemError. */
export function attachProgram(program: number, ifindex: number, driver: string, only?: XdpMode): Attached {
  if (only === 'generic') return { link: attachXdp(program, ifindex, XDP_FLAGS_SKB_MODE), mode: only, reason: '' };
  try {
    return { link: attachXdp(program, ifindex, XDP_FLAGS_DRV_MODE), mode: 'native', reason: '' };
  } catch (error) {
    if (only === 'native' || !(error instanceof SystemError) || isFinal(error)) throw error;
    const reason = `driver ${driver || '?'} does not run XDP programs here (${error.code})`;
    return { link: attachXdp(program, ifindex, XDP_FLAGS_SKB_MODE), mode: 'generic', reason };
  }
}

/** True when generic mode would fail with the same error. */
function isFinal({ code }: SystemError): boolean {
  return ['EPERM', 'EBUSY', 'EEXIST', 'ENODEV'].includes(code);
}

/** The MTU of another device may be the large one: all have frames of one size. */
const NO_LONG_FRAMES =
  'this kernel has no AF_XDP for frames longer than a page (Linux 6.6), as an MTU above 3820 needs';
const NEEDS = 'run as root or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON';

/**
 * Turns a SystemError of an xdp device into a DeviceError; returns any other error unchanged.
 * `several`: frames may have several descriptors.
 */
export function xdpError(device: string, error: unknown, several = false): unknown {
  if (!(error instanceof SystemError)) return error;
  const { call, code } = error;
  if (call === 'socket' && code === 'EAFNOSUPPORT')
    return new DeviceError(device, 'this kernel has no AF_XDP', 'it needs CONFIG_XDP_SOCKETS');
  if (call === 'XDP_UMEM_REG' && code === 'ENOBUFS')
    return new DeviceError(device, 'not allowed to lock so much memory', "'ulimit -l unlimited' or CAP_IPC_LOCK");
  if (call === 'bpf LINK_CREATE' && (code === 'EBUSY' || code === 'EEXIST'))
    return new DeviceError(device, 'it already has an XDP program', `'ip link set dev ${device} xdp off' detaches it`);
  // EACCES: without CAP_PERFMON the verifier refuses the program.
  if (call.startsWith('bpf') && (code === 'EPERM' || code === 'EACCES'))
    return new DeviceError(device, 'not permitted', NEEDS);
  if (several && call === 'bind' && code === 'EINVAL')
    return new DeviceError(device, NO_LONG_FRAMES, "use kind 'packet' or smaller MTUs");
  if (call === 'bind' && (code === 'EOPNOTSUPP' || code === 'EINVAL'))
    return new DeviceError(device, `its driver refuses these frames (${code})`, "use kind 'packet'");
  return deviceError(device, error);
}

/**
 * Takes the program with this number off its interface, though its link belongs to another process,
 * as `bpftool link detach` does. Returns false when no link has it. Throws a SystemError.
 *
 * It is not found by its interface: each network namespace has an interface with that index.
 */
export function detachProgram(id: number): boolean {
  const link = linkOf((fd) => linkedProgram(fd) === id);
  if (link === undefined) return false;
  try {
    detachLink(link);
  } finally {
    close(link);
  }
  return true;
}
