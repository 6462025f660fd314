/** DeviceError: the error of this folder, one line for the user. */
import { SystemError } from '../sys/libc.js';

/**
 * A device or file cannot be used. The message is one line: the name, the problem and, if there is
 * one, the remedy.
 */
export class DeviceError extends Error {
  constructor(
    readonly device: string,
    readonly problem: string,
    readonly remedy = '',
  ) {
    super(remedy === '' ? `${device}: ${problem}` : `${device}: ${problem}; ${remedy}`);
    this.name = 'DeviceError';
  }
}

const REMEDIES: Record<string, [problem: string, remedy: string]> = {
  EPERM: ['not permitted', 'run as root or with CAP_NET_RAW and CAP_NET_ADMIN'],
  EACCES: ['not permitted', 'run as root or with CAP_NET_RAW and CAP_NET_ADMIN'],
  ENODEV: ['no such network interface', "'ip link' lists the interfaces"],
  ENXIO: ['no such network interface', "'ip link' lists the interfaces"],
  EBUSY: ['already in use by another process', 'stop it or choose another name'],
  ENETDOWN: ['the interface is down', "'ip link set DEV up' brings it up"],
  ENOMEM: ['not enough memory for the ring', 'ask for fewer or smaller blocks'],
};

/**
 * Turns a SystemError of a call on `device` into a DeviceError; returns any other error unchanged.
 */
export function deviceError(device: string, error: unknown): unknown {
  if (!(error instanceof SystemError)) return error;
  const [problem, remedy] = REMEDIES[error.code] ?? [error.message, ''];
  return new DeviceError(device, `${problem} (${error.call})`, remedy);
}
