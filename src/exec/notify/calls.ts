/** All calls that the filter stops, by name. An error becomes the errno that the caller gets. */
import type { AdminClient } from '../../control/api/api.js';
import { RefusedError } from '../../control/api/ask.js';
import { SystemError } from '../../sys/libc.js';
import type { Notification } from '../../sys/seccomp.js';
import { Ended } from '../director/connection.js';
import { ListingMemory } from '../director/listing-memory.js';
import { callName, ownArchitecture } from '../filter/numbers.js';
import { errnoNumber, Refusal } from '../refusal.js';
import { NetlinkCalls } from './netlink-calls.js';
import { OpenCalls } from './open-calls.js';
import { LEFT_TO_KERNEL, type Served } from './result.js';
import { SockoptCalls } from './sockopt-calls.js';

const AF_NETLINK = 16;

export class Calls {
  readonly opens: OpenCalls;
  private readonly netlink: NetlinkCalls;
  private readonly sockopt: SockoptCalls;
  private readonly architecture = ownArchitecture();

  /** `report`: one line for the user. */
  constructor(
    listener: number,
    client: AdminClient,
    private readonly report: (line: string) => void,
  ) {
    const memory = new ListingMemory(client);
    this.opens = new OpenCalls(listener, memory, report);
    this.netlink = new NetlinkCalls(listener, memory);
    this.sockopt = new SockoptCalls(listener, memory);
  }

  /** Serves a call. Rejects only with Ended. */
  async serve(call: Notification): Promise<Served> {
    try {
      return await this.dispatch(call);
    } catch (error) {
      return { outcome: { errno: this.errnoOf(error) } };
    }
  }

  private dispatch(call: Notification): Promise<Served> | Served {
    const name = callName(this.architecture, call.call);
    if (name === undefined) return LEFT_TO_KERNEL;
    if (name === 'socket') return call.int(0) === AF_NETLINK ? this.netlink.socket(call) : this.sockopt.rawSocket(call);
    if (name === 'setsockopt' || name === 'getsockopt') return this.sockopt[name](call);
    if (name === 'openat' || name === 'open') return this.opens[name](call);
    return this.netlink[name](call);
  }

  private errnoOf(error: unknown): number {
    if (error instanceof Refusal || error instanceof SystemError) return error.errno;
    if (error instanceof RefusedError) return errnoNumber('ENOPROTOOPT');
    if (error instanceof Ended) throw error;
    this.report((error as Error).stack ?? String(error));
    return errnoNumber('EIO');
  }
}
