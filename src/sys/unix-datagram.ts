/** Datagrams to a Unix socket (unix(7)), which Node.js does not have. */
import { check, close, MSG_DONTWAIT, sendto, socket } from './libc.js';

const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/**
 * Sends a text to the socket at `path`; a path that begins with @ is an abstract address. It does
 * not wait: EAGAIN when the queue of the receiver is full. Throws a SystemError.
 */
export function sendDatagram(path: string, text: string): void {
  const fd = check(socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0), 'socket');
  try {
    const data = new TextEncoder().encode(text);
    const address = addressOfPath(path);
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    check(sendto(fd, data, data.length, flags, address, address.length), `sendto ${path}`);
  } finally {
    close(fd);
  }
}

/** struct sockaddr_un: family, then the path with a zero, or a zero and the abstract name. */
function addressOfPath(path: string): Uint8Array {
  const isAbstract = path.startsWith('@');
  const name = new TextEncoder().encode(isAbstract ? path.slice(1) : path);
  const address = new Uint8Array(new ArrayBuffer(name.length + 3));
  address[0] = AF_UNIX;
  address.set(name, isAbstract ? 3 : 2);
  return address;
}
