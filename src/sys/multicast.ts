/**
 * UDP sockets for a multicast group on one interface, as the kernel's make_send_sock and
 * make_receive_sock of IPVS set them up: numbers and structures of ip(7) and ipv6(7). The caller
 * closes the socket.
 */
import { bind, check, close, connect, getsockname, ifNameToIndex, setsockopt, socket } from './libc.js';
import { setQueue } from './packet-socket.js';

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
/**
 * Bytes that a receiver may hold: a director that starts asks for all connections, and reads the
 * answers when it has opened its devices. The system's default holds about 100 messages.
 */
const RECEIVE_BUFFER = 4 << 20;
const IPPROTO_IP = 0;
const IP_MTU_DISCOVER = 10;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IPPROTO_IPV6 = 41;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_MTU_DISCOVER = 23;
/** Datagrams longer than the MTU are fragmented. */
const PMTUDISC_DONT = 0;

/** A group on an interface. `words`: one word for IPv4, four for IPv6, in host order. */
export interface MulticastGroup {
  readonly interface: string;
  readonly words: Int32Array;
  readonly port: number;
  /** Bytes of the socket's buffer; 0: the system's default. */
  readonly buffer: number;
}

/**
 * Returns a socket that sends to the group by the interface, and its own address as bytes. Throws a
 * SystemError.
 */
export function multicastSender(group: MulticastGroup, ttl: number): { fd: number; from: Uint8Array } {
  const from = sourceFor(group);
  return made(group, (fd, index) => {
    if (group.words.length === 1) {
      set(fd, IPPROTO_IP, IP_MULTICAST_IF, mreqn(0, index), 'IP_MULTICAST_IF');
      set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, int(0), 'IP_MULTICAST_LOOP');
      set(fd, IPPROTO_IP, IP_MULTICAST_TTL, int(ttl), 'IP_MULTICAST_TTL');
      set(fd, IPPROTO_IP, IP_MTU_DISCOVER, int(PMTUDISC_DONT), 'IP_MTU_DISCOVER');
    } else {
      set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, int(index), 'IPV6_MULTICAST_IF');
      set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int(0), 'IPV6_MULTICAST_LOOP');
      set(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(ttl), 'IPV6_MULTICAST_HOPS');
      set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, int(PMTUDISC_DONT), 'IPV6_MTU_DISCOVER');
    }
    if (group.buffer > 0) set(fd, SOL_SOCKET, SO_SNDBUF, int(group.buffer), 'SO_SNDBUF');
    const at = address(from, 0, index);
    check(bind(fd, at, at.length), 'bind');
    return { fd, from: bytesOf(from) };
  });
}

/**
 * The address that the kernel chooses for messages to the group. libuv does not send by connected
 * sockets.
 */
function sourceFor(group: MulticastGroup): Int32Array {
  return made(group, (fd, index) => {
    const isFour = group.words.length === 1;
    if (isFour) set(fd, IPPROTO_IP, IP_MULTICAST_IF, mreqn(0, index), 'IP_MULTICAST_IF');
    else set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, int(index), 'IPV6_MULTICAST_IF');
    const to = address(group.words, group.port, index);
    check(connect(fd, to, to.length), 'connect');
    const own = ownAddress(fd, group.words.length);
    close(fd);
    return own;
  });
}

function bytesOf(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < words.length; i++) view.setInt32(i * 4, words[i]!);
  return bytes;
}

/** Returns a socket that hears the group on the interface. Throws a SystemError. */
export function multicastReceiver(group: MulticastGroup): number {
  return made(group, (fd, index) => {
    set(fd, SOL_SOCKET, SO_REUSEADDR, int(1), 'SO_REUSEADDR');
    if (group.buffer > 0) set(fd, SOL_SOCKET, SO_RCVBUF, int(group.buffer), 'SO_RCVBUF');
    else setQueue(fd, 'receive', RECEIVE_BUFFER);
    set(fd, SOL_SOCKET, SO_BINDTODEVICE, new TextEncoder().encode(`${group.interface}\0`), 'SO_BINDTODEVICE');
    const at = address(group.words, group.port, index);
    check(bind(fd, at, at.length), 'bind');
    if (group.words.length === 1)
      set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreqn(group.words[0]!, index), 'IP_ADD_MEMBERSHIP');
    else set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, mreq6(group.words, index), 'IPV6_JOIN_GROUP');
    return fd;
  });
}

function made<T>(group: MulticastGroup, setUp: (fd: number, index: number) => T): T {
  const domain = group.words.length === 1 ? AF_INET : AF_INET6;
  const fd = check(socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
  try {
    return setUp(fd, ifNameToIndex(group.interface));
  } catch (error) {
    close(fd);
    throw error;
  }
}

function set(fd: number, level: number, option: number, value: Uint8Array, name: string): void {
  check(setsockopt(fd, level, option, value, value.length), name);
}

function int(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** struct ip_mreqn: the group, an address, the index of the interface. */
function mreqn(group: number, index: number): Uint8Array {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, group);
  view.setInt32(8, index, true);
  return bytes;
}

/** struct ipv6_mreq: the group, the index of the interface. */
function mreq6(group: Int32Array, index: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 4; i++) view.setInt32(i * 4, group[i]!);
  view.setInt32(16, index, true);
  return bytes;
}

/** struct sockaddr_in or sockaddr_in6. */
function address(words: Int32Array, port: number, index: number): Uint8Array {
  const isSix = words.length === 4;
  const bytes = new Uint8Array(isSix ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isSix ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  for (let i = 0; i < words.length; i++) view.setInt32((isSix ? 8 : 4) + i * 4, words[i]!);
  if (isSix) view.setInt32(24, index, true);
  return bytes;
}

function ownAddress(fd: number, words: number): Int32Array {
  const bytes = new Uint8Array(28);
  check(getsockname(fd, bytes, Int32Array.of(bytes.length)), 'getsockname');
  const view = new DataView(bytes.buffer);
  return Int32Array.from({ length: words }, (_, i) => view.getInt32((words === 4 ? 8 : 4) + i * 4));
}
