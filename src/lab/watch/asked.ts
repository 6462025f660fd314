/** A running director of a lab, asked over its control socket. */
import { readdirSync } from 'node:fs';
import type { DirectorStatus } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { SocketClient } from '../../control/api/client.js';
import { LabError } from '../error.js';

/** Rejects, as its SocketClient does, with an Error of one line. */
export class AskedDirector {
  private readonly client: SocketClient;

  constructor(socket: string) {
    this.client = new SocketClient(socket);
  }

  async status(): Promise<DirectorStatus> {
    const { status } = await ask(this.client, { op: 'status' });
    if (status === undefined) throw new LabError('the director sent no status');
    return status;
  }

  /** Reads the configuration again. */
  async reload(): Promise<void> {
    await ask(this.client, { op: 'reload' });
  }

  /** Lists the rules and a page of the connections, as ulvsadm does. */
  async list(): Promise<void> {
    await ask(this.client, { op: 'list' });
    await ask(this.client, { op: 'connections', from: 0 });
  }

  /** Traces `count` packets at most while `wait` lasts, and fetches the records. */
  async trace(count: number, wait: () => Promise<unknown>): Promise<void> {
    await ask(this.client, { op: 'traceStart', filter: '', dropsOnly: false, count });
    await wait();
    await ask(this.client, { op: 'tracePoll' });
    await ask(this.client, { op: 'traceStop' });
  }

  close(): void {
    this.client.close();
  }
}

/** Number of descriptors that a process has open. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}
