/**
 * The entry point `ulvs/client`: a typed client of a running director's control socket
 * (docs/control-protocol.md).
 *
 *     const director = connect();
 * for (const service of await director.services()) console.log(service.key,
 * service.destinations.length);
 *     director.close();
 */
import type {
  AdminReply,
  AdminRequest,
  ChangeRequest,
  ConnectionEntry,
  DirectorStatus,
  ServiceEntry,
} from '../control/api/api.js';
import { type Answer, ask } from '../control/api/ask.js';
import { SocketClient } from '../control/api/client.js';
import { defaultSocket } from '../control/api/socket-path.js';

export type {
  AdminReply,
  AdminRequest,
  ChangeRequest,
  ConnectionEntry,
  DestinationEntry,
  DirectorStatus,
  Errno,
  ReloadReport,
  ServiceEntry,
  StatsEntry,
  Timeouts,
} from '../control/api/api.js';
export { RefusedError } from '../control/api/ask.js';
export type { DestinationConfig, ServiceConfig, ServiceKey } from '../service/config.js';

/**
 * A connection to a director. Methods reject with an Error of one line; a refusal is a
 * RefusedError.
 */
export class DirectorClient {
  private readonly socket: SocketClient;

  /** `path`: the control socket. */
  constructor(path: string) {
    this.socket = new SocketClient(path);
  }

  /** Any request of the protocol. A refusal is a reply like others. */
  request(request: AdminRequest): Promise<AdminReply> {
    return this.socket.request(request);
  }

  /** Services with destinations and counters. */
  async services(): Promise<ServiceEntry[]> {
    return (await this.ask({ op: 'list' })).services ?? [];
  }

  /** Connections and templates, page by page: they may be millions. */
  async *connections(): AsyncGenerator<ConnectionEntry> {
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page: Answer = await this.ask({ op: 'connections', from });
      yield* page.connections ?? [];
      from = page.next;
    }
  }

  async status(): Promise<DirectorStatus> {
    return (await this.ask({ op: 'status' })).status!;
  }

  /**
   * Makes changes in order. Rejects with the first refusal; changes before and after it are made.
   */
  async change(...changes: ChangeRequest[]): Promise<void> {
    const { replies = [] } = await this.ask({ op: 'batch', requests: changes });
    const refused = replies.findIndex(({ ok }) => !ok);
    if (refused >= 0) await ask({ request: async () => replies[refused]! }, changes[refused]!);
  }

  close(): void {
    this.socket.close();
  }

  private ask(request: AdminRequest): Promise<Answer> {
    return ask(this.socket, request);
  }
}

/** A client of the director on a control socket; by default that of this network namespace. */
export function connect(path: string = defaultSocket()): DirectorClient {
  return new DirectorClient(path);
}
