/**
 * Opens netlink sockets and receives datagrams. A socket belongs to the network namespace in which
 * it was opened.
 */
import * as libc from '../sys/libc.js';
import {
  AF_NETLINK,
  MSG_TRUNC,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from './constants.js';
import { MalformedMessage } from './error.js';
import { HOST_LITTLE } from './message.js';

/**
 * Bytes. Datagrams of a dump have up to 32 KiB; a link with many virtual functions can be longer.
 */
export const DATAGRAM_SIZE = 1 << 16;
const ANSWER_SECONDS = 5;

/**
 * Opens a socket for requests, of rtnetlink or of another protocol. A receive ends with EAGAIN when
 * the kernel has not answered for 5 s. Throws a SystemError.
 */
export function openRequestSocket(protocol = NETLINK_ROUTE): number {
  const fd = openSocket(0, protocol);
  setOption(fd, SOL_SOCKET, SO_RCVTIMEO, new BigInt64Array([BigInt(ANSWER_SECONDS), 0n]));
  return fd;
}

/**
 * Opens a socket for the notifications of the multicast groups of a mask. `bufferBytes`: bytes that
 * the kernel may queue before it loses changes. Throws a SystemError.
 */
export function openGroupSocket(groups: number, bufferBytes: number): number {
  const fd = openSocket(groups);
  const size = new Int32Array([bufferBytes]);
  // SO_RCVBUFFORCE needs CAP_NET_ADMIN; without it net.core.rmem_max is the limit.
  if (libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4) < 0) libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, size, 4);
  return fd;
}

function openSocket(groups: number, protocol = NETLINK_ROUTE): number {
  const fd = libc.check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), 'socket(AF_NETLINK)');
  // Kernels before 4.20 do not have all of these options. They work without.
  for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK])
    setOption(fd, SOL_NETLINK, option, new Int32Array([1]));
  if (libc.bind(fd, socketAddress(groups), 12) < 0) {
    const error = new libc.SystemError('bind(AF_NETLINK)', libc.errno());
    libc.close(fd);
    throw error;
  }
  return fd;
}

function setOption(fd: number, level: number, option: number, value: Int32Array | BigInt64Array): void {
  libc.setsockopt(fd, level, option, new Uint8Array(value.buffer), value.byteLength);
}

/**
 * struct sockaddr_nl { u16 family; u16 pad; u32 pid; u32 groups }. With pid 0 the kernel chooses
 * the port id.
 */
function socketAddress(groups: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_NETLINK, HOST_LITTLE);
  view.setUint32(8, groups, HOST_LITTLE);
  return bytes;
}

/**
 * The next datagram, a view into `buffer`; undefined when there is none (MSG_DONTWAIT, or after 5
 * s). Throws a SystemError (ENOBUFS when the queue of the kernel overflowed), and a
 * MalformedMessage when `buffer` is too small.
 */
export function receive(fd: number, buffer: Uint8Array, flags: number): Uint8Array | undefined {
  const len = libc.recv(fd, buffer, buffer.length, flags | MSG_TRUNC);
  if (len > buffer.length) throw new MalformedMessage('receive buffer', buffer.length, len);
  if (len >= 0) return buffer.subarray(0, len);
  const code = libc.errnoName(libc.errno());
  if (code === 'EINTR') return receive(fd, buffer, flags);
  if (code === 'EAGAIN' || code === 'EWOULDBLOCK') return undefined;
  throw new libc.SystemError('recv(AF_NETLINK)', libc.errno());
}
