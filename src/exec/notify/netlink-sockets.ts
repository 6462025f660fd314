/**
 * The netlink sockets that programs get in place of generic netlink ones. They are real sockets, of
 * protocol NETLINK_USERSOCK. So bind, getsockname, socket options, poll, close and fork are the
 * kernel's. The supervisor keeps a descriptor of each socket and fills its receive queue:
 *
 *   program: send ──stopped──► request ─► answers: [ 2 3 4 ]   the supervisor's queue
 *                                                    │ one at a time
 *   program: recv ──stopped──► bytes ◄── [ 1 ] ◄─────┘         the socket's own queue, for poll
 */
import { AF_NETLINK, MSG_TRUNC, NETLINK_CAP_ACK, NETLINK_EXT_ACK, SOL_NETLINK } from '../../netlink/constants.js';
import { HOST_LITTLE } from '../../netlink/message.js';
import * as libc from '../../sys/libc.js';
import { linkTarget } from '../../sys/process.js';
import { O_CLOEXEC } from '../../sys/seccomp.js';
import { FD_END, FD_LOW } from '../filter/rules.js';
import type { Peer } from '../genl/datagram.js';
import { Refusal } from '../refusal.js';

const NETLINK_USERSOCK = 2;
const SOCK_RAW = 3;
const ADDRESS_SIZE = 12;
const MSG_PEEK = 2;
const LARGEST_DATAGRAM = 1 << 16;
/** Sockets that the supervisor keeps before it looks for closed ones. */
const MANY = 256;

/**
 * What /proc says of a descriptor, as socket:[4711]; undefined: it is not open, or not ours to see.
 */
export function linkOf(thread: number | 'self', fd: number): string | undefined {
  return linkTarget(`/proc/${thread}/fd/${fd}`);
}

/** One socket. */
export class NetlinkSocket {
  private readonly queue: Uint8Array[] = [];
  /** 0: not known yet. It does not change once the socket has one. */
  private portId = 0;
  private address = addressOf(0);

  /** `fd`: the supervisor's descriptor. `first`: the program's descriptor when it was made. */
  constructor(
    readonly fd: number,
    readonly first: { readonly thread: number; readonly fd: number },
    private readonly sender: number,
  ) {}

  /** Port id, and the options that the program has set. */
  peer(): Peer {
    return {
      portId: this.port(),
      extendedAck: this.option(NETLINK_EXT_ACK),
      cappedAck: this.option(NETLINK_CAP_ACK),
    };
  }

  /** Queues answers for the program. */
  answer(datagrams: readonly Uint8Array[]): void {
    const isIdle = this.queue.length === 0;
    this.queue.push(...datagrams);
    if (isIdle && this.peekKernel() === undefined) this.feed();
  }

  /**
   * The datagram that the program reads next, which stays in the queue; undefined: there is none.
   */
  peek(): Uint8Array | undefined {
    const first = this.peekKernel();
    if (first !== undefined || this.queue.length === 0) return first;
    this.feed(); // another thread has received the last one from the kernel
    return this.peekKernel();
  }

  /** Removes the datagram that `peek` gave. */
  remove(): void {
    libc.recv(this.fd, null, 0, libc.MSG_DONTWAIT);
    this.feed();
  }

  private port(): number {
    if (this.portId === 0) {
      this.portId = portOf(this.fd);
      this.address = addressOf(this.portId);
    }
    return this.portId;
  }

  private option(name: number): boolean {
    optionLength[0] = 4;
    return libc.getsockopt(this.fd, SOL_NETLINK, name, optionValue, optionLength) === 0 && optionValue[0] !== 0;
  }

  private peekKernel(): Uint8Array | undefined {
    const n = libc.recv(this.fd, datagram, datagram.length, MSG_PEEK | libc.MSG_DONTWAIT | MSG_TRUNC);
    return n < 0 ? undefined : datagram.subarray(0, n);
  }

  /** Puts the next answer into the kernel's queue of the socket. */
  private feed(): void {
    const next = this.queue[0];
    if (next === undefined) return;
    this.port();
    const bytes = next.length <= outgoing.length ? outgoing : new Uint8Array(new ArrayBuffer(next.length));
    bytes.set(next);
    // It fails when the program has closed the socket, or has no room for another datagram.
    const sent = libc.uninterrupted(() =>
      libc.sendto(this.sender, bytes, next.length, libc.MSG_DONTWAIT, this.address, ADDRESS_SIZE),
    );
    if (sent >= 0) this.queue.shift();
  }
}

const datagram = new Uint8Array(new ArrayBuffer(LARGEST_DATAGRAM));
const outgoing = new Uint8Array(new ArrayBuffer(LARGEST_DATAGRAM));
const optionValue = new Int32Array(new ArrayBuffer(4));
const optionLength = new Int32Array(new ArrayBuffer(4));

/** struct sockaddr_nl. */
export function addressOf(portId: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(ADDRESS_SIZE));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_NETLINK, HOST_LITTLE);
  view.setUint32(4, portId, HOST_LITTLE);
  return bytes;
}

/** The port id; a socket without one gets one, as the kernel does at the first send. */
function portOf(fd: number): number {
  const name = addressOf(0);
  libc.check(libc.getsockname(fd, name, Int32Array.of(ADDRESS_SIZE)), 'getsockname');
  const portId = new DataView(name.buffer).getUint32(4, HOST_LITTLE);
  if (portId !== 0) return portId;
  libc.check(libc.bind(fd, addressOf(0), ADDRESS_SIZE), 'bind(AF_NETLINK)');
  return portOf(fd);
}

/** All sockets that programs have, by inode: fork, dup and close in the programs do no harm. */
export class NetlinkSockets {
  private readonly byLink = new Map<string, NetlinkSocket>();
  private readonly sender: number;

  constructor() {
    this.sender = libc.check(libc.socket(AF_NETLINK, SOCK_RAW | O_CLOEXEC, NETLINK_USERSOCK), 'socket(AF_NETLINK)');
  }

  /** The socket behind a program's descriptor; undefined: it is none of these. */
  find(thread: number, fd: number): NetlinkSocket | undefined {
    const link = linkOf(thread, fd);
    return link === undefined ? undefined : this.byLink.get(link);
  }

  /**
   * Makes a socket, and chooses a descriptor for it that the thread does not use. `type`: as of
   * socket(2). Throws a Refusal with EMFILE, or a SystemError.
   */
  open(thread: number, type: number): { socket: NetlinkSocket; at: number } {
    this.forgetClosed();
    const at = freeDescriptor(thread);
    const fd = libc.check(libc.socket(AF_NETLINK, type | O_CLOEXEC, NETLINK_USERSOCK), 'socket');
    const socket = new NetlinkSocket(fd, { thread, fd: at }, this.sender);
    this.byLink.set(linkOf('self', fd)!, socket);
    return { socket, at };
  }

  /** Takes back a socket that the program did not get. */
  forget(socket: NetlinkSocket): void {
    for (const [link, one] of this.byLink) if (one === socket) this.byLink.delete(link);
    libc.close(socket.fd);
  }

  /**
   * When there are many, drops sockets whose first owner has closed them or ended. A child that has
   * inherited one of these is not served any more; no program is known that lives so.
   */
  private forgetClosed(): void {
    if (this.byLink.size < MANY) return;
    for (const [link, socket] of this.byLink)
      if (linkOf(socket.first.thread, socket.first.fd) !== link) this.forget(socket);
  }
}

function freeDescriptor(thread: number): number {
  for (let fd = FD_LOW; fd < FD_END; fd++) if (linkOf(thread, fd) === undefined) return fd;
  throw new Refusal('EMFILE');
}
