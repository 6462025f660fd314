/** tcp and sctp: a connection is accepted; with `expect`, the server also says something. */
import net from 'node:net';
import { close, socket as newSocket } from '../../sys/libc.js';
import { bytesOf, type Checker, type CheckSettings, good, type Place } from './checker.js';
import { connect, hangUp, readUntil } from './connection.js';

export const tcp: Checker = {
  good: 'the server accepts a connection; with `expect`, its answer to `send` contains that text',
  options: ['send', 'expect'],
  run: (place, options, signal) => converse(place, options, signal),
};

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_SCTP = 132;

export const sctp: Checker = {
  good: 'the server accepts an association (the kernel needs SCTP)',
  options: [],
  run: (place, options, signal) => {
    const family = net.isIPv6(place.address) ? AF_INET6 : AF_INET;
    const fd = newSocket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
    if (fd < 0) return Promise.reject(new Error('the kernel of the director has no SCTP'));
    return converse(place, options, signal, adopt(fd));
  },
};

/** A one-to-one SCTP socket behaves like a TCP socket (RFC 6458, 4). */
function adopt(fd: number): net.Socket {
  try {
    return new net.Socket({ fd, readable: true, writable: true });
  } catch (error) {
    close(fd);
    throw error;
  }
}

async function converse(place: Place, options: CheckSettings, signal: AbortSignal, given?: net.Socket) {
  const socket = await connect(place, options, signal, given);
  try {
    const { send, expect } = options;
    if (send !== '') socket.write(bytesOf(send));
    if (expect !== '') await readUntil(socket, (bytes) => bytes.includes(expect) || undefined);
    return good(expect === '' ? 'connected' : `answered with ${JSON.stringify(expect)}`);
  } finally {
    hangUp(socket);
  }
}
