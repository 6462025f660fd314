/**
 * What `ulvs exec` says when it cannot begin: one line, what is missing and what would be right.
 */
import { SystemError } from '../../sys/libc.js';

/** It cannot be done here; the message is one line. */
export class CannotExec extends Error {
  override readonly name = 'CannotExec';
}

/** An error of seccomp(2). Others are returned as they are. */
export function explainSeccomp(error: unknown): unknown {
  if (!(error instanceof SystemError) || error.call !== 'seccomp') return error;
  const text = SECCOMP[error.code] ?? `seccomp: ${error.code}`;
  return new CannotExec(`exec: ${text}`);
}

const SECCOMP: Readonly<Record<string, string>> = {
  EBUSY:
    'a filter above this process already asks a supervisor (another `ulvs exec`, or a container with a seccomp agent), and the kernel allows one: start the command outside of it',
  EINVAL: 'this kernel has no seccomp user notification: Linux 5.14 or later with CONFIG_SECCOMP_FILTER is needed',
  ENOSYS: 'this kernel has no seccomp: Linux 5.14 or later with CONFIG_SECCOMP_FILTER is needed',
  EPERM: 'seccomp is forbidden here: the policy of the container must allow seccomp(2)',
};

export const TOO_OLD =
  'exec: this kernel is too old: it cannot hand descriptors to a stopped call; Linux 5.14 or later is needed';

/** A command that cannot be started: its message and the exit code, as shells have them. */
export class NotStarted extends CannotExec {
  constructor(
    message: string,
    readonly exitCode: 126 | 127,
  ) {
    super(message);
  }
}
