/**
 * Network namespaces (network_namespaces(7)). Each thread is in a namespace. A socket stays in the
 * namespace in which it was made. So a thread enters a namespace, makes its sockets and goes back.
 * A thread that is started inside stays there.
 */
import { check, close, open, setns } from './libc.js';

const O_RDONLY_CLOEXEC = 0o2000000;
const CLONE_NEWNET = 0x40000000;
const OWN = '/proc/thread-self/ns/net';

/**
 * Runs `work` in a namespace: a name of `ip netns`, or a path such as /proc/123/ns/net. `work` must
 * not be asynchronous: what follows an await would run outside. Throws a SystemError('setns')
 * without CAP_SYS_ADMIN.
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

/** Opens a namespace. Throws a SystemError that names the path. */
function openNetns(path: string): number {
  return check(open(path, O_RDONLY_CLOEXEC, 0), `open ${path}`);
}
