/** Puts an XDP program on an interface: run by its driver where that can, else by the stack. */
import { attachXdp, XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE } from '../../sys/bpf.js';
import { SystemError } from '../../sys/libc.js';
import { DeviceError, deviceError } from '../error.js';

export type XdpMode = 'native' | 'generic';

export interface Attached {
  /** To be closed; the program is off with it, also when the process dies. */
  readonly link: number;
  readonly mode: XdpMode;
  /** Why it is not native; '' when it is, or when generic was asked for. */
  readonly reason: string;
}

/** `only`: that mode or none. Throws SystemError. */
export function attachProgram(program: number, ifindex: number, driver: string, only?: XdpMode): Attached {
  if (only === 'generic') return { link: attachXdp(program, ifindex, XDP_FLAGS_SKB_MODE), mode: only, reason: '' };
  try {
    return { link: attachXdp(program, ifindex, XDP_FLAGS_DRV_MODE), mode: 'native', reason: '' };
  } catch (error) {
    if (only === 'native' || !(error instanceof SystemError) || isFinal(error)) throw error;
    const reason = `driver ${driver || '?'} does not run XDP programs itself here (${error.code})`;
    return { link: attachXdp(program, ifindex, XDP_FLAGS_SKB_MODE), mode: 'generic', reason };
  }
}

/** The stack would say the same. */
function isFinal({ code }: SystemError): boolean {
  return ['EPERM', 'EBUSY', 'EEXIST', 'ENODEV'].includes(code);
}

const NEEDS = 'run as root or with CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF and CAP_PERFMON';

/** Turns a failed call of this kind of device into the sentence for the user. */
export function xdpError(device: string, error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  const { call, code } = error;
  if (call === 'socket' && code === 'EAFNOSUPPORT')
    return new DeviceError(device, 'this kernel has no AF_XDP', 'CONFIG_XDP_SOCKETS is off');
  if (call === 'XDP_UMEM_REG' && code === 'ENOBUFS')
    return new DeviceError(device, 'not allowed to lock so much memory', "'ulimit -l unlimited' or CAP_IPC_LOCK");
  if (call === 'bpf LINK_CREATE' && (code === 'EBUSY' || code === 'EEXIST'))
    return new DeviceError(device, 'it has an XDP program already', `'ip link set dev ${device} xdp off' takes it off`);
  // EACCES: without CAP_PERFMON the verifier refuses the program.
  if (call.startsWith('bpf') && (code === 'EPERM' || code === 'EACCES'))
    return new DeviceError(device, 'not permitted', NEEDS);
  if (call === 'bind' && (code === 'EOPNOTSUPP' || code === 'EINVAL'))
    return new DeviceError(device, `its driver cannot share frames this way (${code})`, "use kind 'packet'");
  return deviceError(device, error);
}
