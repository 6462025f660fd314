import { SystemError } from '../sys/libc.js';

/** Bytes that are not what the kernel writes: the codec throws this and nothing else. */
export class MalformedMessage extends Error {
  constructor(
    readonly what: string,
    readonly have: number,
    readonly need: number,
  ) {
    super(`netlink: ${what} has ${have} bytes, ${need} needed`);
    this.name = 'MalformedMessage';
  }
}

/** The kernel refused a request. `detail` is its own explanation (extended ack), '' where it gave none. */
export class NetlinkError extends SystemError {
  constructor(
    call: string,
    errno: number,
    readonly detail: string,
  ) {
    super(call, errno);
    this.name = 'NetlinkError';
    if (detail !== '') this.message += ` (${detail})`;
  }
}
