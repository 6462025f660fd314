/**
 * setsockopt(2) and getsockopt(2) with an option of IPVS, on any socket, and the raw socket that
 * programs open for them. What is no socket is left to the kernel, which gives the errno.
 */
import type { AdminClient } from '../../control/api/api.js';
import * as libc from '../../sys/libc.js';
import { peek, pokeAll } from '../../sys/process-memory.js';
import { type Notification, O_CLOEXEC, respondWithFd } from '../../sys/seccomp.js';
import { Refusal } from '../refusal.js';
import { getOption, sizeOfGet } from '../sockopt/get.js';
import { setOption, sizeOfSet } from '../sockopt/set.js';
import { LostAnswers } from './lost-answers.js';
import { linkOf } from './netlink-sockets.js';
import { LEFT_TO_KERNEL, type Result, returns, type Served } from './result.js';

const AF_INET = 2;
const SOCK_DGRAM = 2;

export class SockoptCalls {
  private readonly lost = new LostAnswers<Refusal | typeof DONE>();

  constructor(
    private readonly listener: number,
    private readonly client: AdminClient,
  ) {}

  /** A UDP socket in place of a raw one: it is a handle for the options, and needs no privilege. */
  rawSocket(call: Notification): Served {
    const fd = libc.check(libc.socket(AF_INET, SOCK_DGRAM | O_CLOEXEC, 0), 'socket');
    try {
      respondWithFd(this.listener, call.id, fd, undefined, call.int(1) & O_CLOEXEC);
    } finally {
      libc.close(fd);
    }
    return 'answered';
  }

  async setsockopt(call: Notification): Promise<Served> {
    if (!isSocket(call)) return LEFT_TO_KERNEL;
    const [option, length] = [call.int(2), call.int(4)];
    if (length !== sizeOfSet(option)) throw new Refusal('EINVAL');
    const bytes = peek(call.thread, call.wide(3), length);
    const request = `${option} ${bytes.toString('latin1')}`;
    const before = this.lost.take(call.thread, request);
    return this.change(call.thread, request, before ?? (await this.set(option, bytes)));
  }

  private change(thread: number, request: string, done: Refusal | typeof DONE): Result {
    const outcome = done === DONE ? { value: 0 } : { errno: done.errno };
    return { outcome, lost: () => this.lost.keep(thread, request, done) };
  }

  private async set(option: number, bytes: Uint8Array): Promise<Refusal | typeof DONE> {
    try {
      await setOption(option, bytes, this.client);
      return DONE;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  async getsockopt(call: Notification): Promise<Served> {
    if (!isSocket(call)) return LEFT_TO_KERNEL;
    const [thread, option] = [call.thread, call.int(2)];
    const length = peek(thread, call.wide(4), 4).readInt32LE();
    const size = sizeOfGet(option);
    if (length < size) throw new Refusal('EINVAL');
    const value = await getOption(option, peek(thread, call.wide(3), size), length, this.client);
    const told = Buffer.alloc(4);
    told.writeInt32LE(value.length);
    pokeAll(thread, [
      { at: call.wide(3), bytes: value.bytes },
      { at: call.wide(4), bytes: told },
    ]);
    return returns(0);
  }
}

const DONE = 'done';

function isSocket(call: Notification): boolean {
  return linkOf(call.thread, call.int(0))?.startsWith('socket:') === true;
}
