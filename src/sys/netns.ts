/**
 * Network namespaces. A namespace belongs to a thread, a socket to the namespace it was made in for good: so a thread
 * goes in, makes its sockets and comes back; threads it starts there stay there.
 */
import { check, close, open, setns } from './libc.js';

const O_RDONLY_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;
const OWN = '/proc/thread-self/ns/net';

/**
 * Runs `work` inside a namespace: a name from `ip netns add`, or a path like /proc/123/ns/net. `work` must not be
 * asynchronous, as what follows an await would run outside. Throws SystemError('setns') without CAP_SYS_ADMIN.
 */
export function inNetns<T>(namespace: string, work: () => T): T {
  const own = openNetns(OWN);
  try {
    enter(namespace);
    return work();
  } finally {
    check(setns(own, CLONE_NEWNET), 'setns');
    close(own);
  }
}

function enter(namespace: string): void {
  const fd = openNetns(namespace.includes('/') ? namespace : `/run/netns/${namespace}`);
  try {
    check(setns(fd, CLONE_NEWNET), 'setns');
  } finally {
    close(fd);
  }
}

/** Throws SystemError that names the path. */
function openNetns(path: string): number {
  return check(open(path, O_RDONLY_CLOEXEC, 0), `open ${path}`);
}
