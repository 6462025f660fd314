/** Errors of the netlink code. */
import { SystemError } from '../sys/libc.js';

/** Bytes that do not follow the format. The decoders throw no other error. */
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

/** The kernel refused a request. `detail`: its reason (extended ack), '' when it gave none. */
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
