/**
 * Calls about netlink sockets: socket(AF_NETLINK, …, NETLINK_GENERIC), and send and receive on the
 * descriptors that the supervisor has handed out. A receive without an answer in the queue is left
 * to the kernel, which blocks or gives EAGAIN.
 */
import { AF_NETLINK, MSG_TRUNC } from '../../netlink/constants.js';
import { type Part, peek, pokeAll } from '../../sys/process-memory.js';
import { type Notification, O_CLOEXEC, respondWithFd } from '../../sys/seccomp.js';
import type { ListingMemory } from '../director/listing-memory.js';
import { serveDatagram } from '../genl/datagram.js';
import { Refusal } from '../refusal.js';
import { LostAnswers } from './lost-answers.js';
import { gather, readMessageHeader, returnedHeader, scattered, type Vector } from './message-header.js';
import { addressOf, type NetlinkSocket, NetlinkSockets } from './netlink-sockets.js';
import { LEFT_TO_KERNEL, type Result, returns, type Served } from './result.js';

const MSG_PEEK = 2;
/** struct sockaddr_nl of the kernel: port id 0, which programs check. */
const FROM_KERNEL = addressOf(0);
const SENDER_LENGTH = Uint8Array.of(FROM_KERNEL.length, 0, 0, 0);
const LARGEST_ADDRESS = 128;

export class NetlinkCalls {
  private readonly sockets = new NetlinkSockets();
  private readonly lost = new LostAnswers<number>();

  constructor(
    private readonly listener: number,
    private readonly memory: ListingMemory,
  ) {}

  socket(call: Notification): Served {
    const { socket, at } = this.sockets.open(call.thread, call.int(1));
    try {
      respondWithFd(this.listener, call.id, socket.fd, at, call.int(1) & O_CLOEXEC);
    } catch (error) {
      this.sockets.forget(socket);
      throw error;
    }
    return 'answered';
  }

  async sendto(call: Notification): Promise<Served> {
    const socket = this.find(call);
    if (socket === undefined) return LEFT_TO_KERNEL;
    checkReceiver(call.thread, call.wide(4), call.int(5));
    return this.send(call.thread, socket, [{ base: call.wide(1), length: call.wide(2) }]);
  }

  async sendmsg(call: Notification): Promise<Served> {
    const socket = this.find(call);
    if (socket === undefined) return LEFT_TO_KERNEL;
    const header = readMessageHeader(call.thread, call.wide(1));
    checkReceiver(call.thread, header.name, header.nameLength);
    return this.send(call.thread, socket, header.vectors);
  }

  recvfrom(call: Notification): Served {
    const socket = this.find(call);
    const bytes = socket?.peek();
    if (socket === undefined || bytes === undefined) return LEFT_TO_KERNEL;
    const { parts, length } = scattered([{ base: call.wide(1), length: call.wide(2) }], bytes);
    if (call.wide(4) !== 0n) {
      const room = peek(call.thread, call.wide(5), 4).readInt32LE();
      parts.push(sender(call.wide(4), room), { at: call.wide(5), bytes: SENDER_LENGTH });
    }
    pokeAll(call.thread, parts);
    return received(socket, call.int(3), bytes, length);
  }

  recvmsg(call: Notification): Served {
    const socket = this.find(call);
    const bytes = socket?.peek();
    if (socket === undefined || bytes === undefined) return LEFT_TO_KERNEL;
    const header = readMessageHeader(call.thread, call.wide(1));
    const { parts, length } = scattered(header.vectors, bytes);
    if (header.name !== 0n) parts.push(sender(header.name, header.nameLength));
    parts.push(...returnedHeader(header, FROM_KERNEL.length, length < bytes.length ? MSG_TRUNC : 0));
    pokeAll(call.thread, parts);
    return received(socket, call.int(2), bytes, length);
  }

  private find(call: Notification): NetlinkSocket | undefined {
    return this.sockets.find(call.thread, call.int(0));
  }

  private async send(thread: number, socket: NetlinkSocket, vectors: readonly Vector[]): Promise<Result> {
    const bytes = gather(thread, vectors);
    const request = Buffer.from(bytes).toString('latin1');
    const length = this.lost.take(thread, request) ?? (await this.serve(thread, socket, bytes));
    return { ...returns(length), lost: () => this.lost.keep(thread, request, length) };
  }

  private async serve(thread: number, socket: NetlinkSocket, bytes: Uint8Array): Promise<number> {
    socket.answer(await serveDatagram(bytes, socket.peer(), this.memory.clientOf(thread)));
    return bytes.length;
  }
}

/** A request goes to the kernel, port id 0 (netlink_sendmsg). Throws a Refusal or a SystemError. */
function checkReceiver(thread: number, at: bigint, length: number): void {
  if (at === 0n || length === 0) return;
  if (length < 0 || length > LARGEST_ADDRESS) throw new Refusal('EINVAL');
  const address = peek(thread, at, length);
  if (length < FROM_KERNEL.length || address.readUInt16LE(0) !== AF_NETLINK) throw new Refusal('EINVAL');
  if (address.readUInt32LE(4) !== 0) throw new Refusal('ECONNREFUSED');
}

function sender(at: bigint, room: number): Part {
  if (room < 0) throw new Refusal('EINVAL');
  return { at, bytes: FROM_KERNEL.subarray(0, room) };
}

/** The datagram leaves the queue when the program has it. */
function received(socket: NetlinkSocket, flags: number, bytes: Uint8Array, n: number): Result {
  const result = returns((flags & MSG_TRUNC) !== 0 ? bytes.length : n);
  return (flags & MSG_PEEK) !== 0 ? result : { ...result, delivered: () => socket.remove() };
}
