/**
 * Descriptors of another process (pidfd_open(2), pidfd_getfd(2), Linux 5.6). The kernel asks for
 * the rights of a debugger: the same user, or root; Yama asks the other process, too.
 */
import { check, close, descriptorCall, prctl } from './libc.js';

const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const PR_SET_PTRACER = 0x59616d61;

/** Lets process `pid` take descriptors of this one, where Yama would not. */
export function allowDescriptorsTo(pid: number): void {
  prctl(PR_SET_PTRACER, pid, 0, 0, 0); // fails without Yama, which then does not ask
}

/** Takes descriptors of one process. */
export class ForeignDescriptors {
  private readonly pidfd: number;
  private readonly taken = new Map<number, number>();

  /** Throws a SystemError when there is no such process. */
  constructor(pid: number) {
    this.pidfd = check(descriptorCall(PIDFD_OPEN, pid, 0, 0), 'pidfd_open');
  }

  /** A duplicate in this process, the same for each call; −1 stays −1. Throws a SystemError. */
  take(fd: number): number {
    if (fd < 0) return fd;
    const known = this.taken.get(fd);
    if (known !== undefined) return known;
    const own = check(descriptorCall(PIDFD_GETFD, this.pidfd, fd, 0), 'pidfd_getfd');
    this.taken.set(fd, own);
    return own;
  }

  /** Closes the way to the process; `all`: and the duplicates. */
  close(all = false): void {
    close(this.pidfd);
    if (all) for (const fd of this.taken.values()) close(fd);
  }
}
