/** Says why the AF_XDP tests are skipped. */
import { close, errno, errnoName, socket } from '../../../src/sys/libc.js';
import { AF_XDP } from '../../../src/sys/xdp-socket.js';
import { isRoot } from '../../support/netns.js';

/** Why AF_XDP cannot be used here; '' when it can. */
export const withoutXdp = reason();
if (withoutXdp !== '') console.log(`xdp: skipped, ${withoutXdp}`);

function reason(): string {
  if (!isRoot) return 'needs root for namespaces';
  const fd = socket(AF_XDP, 3, 0);
  if (fd < 0) return `the kernel has no AF_XDP (${errnoName(errno())})`;
  close(fd);
  return '';
}
