/**
 * Refusals as the kernel gives them to a program: an errno, and a text for netlink's extended ACK.
 */
import os from 'node:os';
import type { Errno } from '../control/api/api.js';

export type ErrnoName = Errno | keyof typeof os.constants.errno;

/** A request is refused. `text`: one line for NLMSGERR_ATTR_MSG; '': the errno says enough. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: ErrnoName,
    readonly text = '',
  ) {
    super(text === '' ? code : `${code}: ${text}`);
  }

  /** The positive number of the errno. */
  get errno(): number {
    return errnoNumber(this.code);
  }
}

export function errnoNumber(code: ErrnoName): number {
  return os.constants.errno[code];
}
