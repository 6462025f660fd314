/** Taker: the successor's side of a takeover (offer.ts). */
import { ForeignDescriptors } from '../../sys/pidfd.js';
import { hurry, stepBack } from '../../sys/priority.js';
import { SocketClient, whoListens } from '../api/client.js';
import type { Config } from '../config/config.js';
import { adoptAll, type Transfer } from '../engine/transfer.js';
import type { Positions } from '../engine/workers.js';
import { foreign, type Offer, unfit } from './offer.js';
import { whenFree } from './yielding.js';

/** A takeover that goes on. */
export class Taker {
  /** The running director has the processors while this one prepares. */
  private readonly stepForward = stepBack();

  private constructor(
    private readonly client: SocketClient,
    /** The configuration, with the kinds of the running devices. */
    readonly config: Config,
    private readonly offer: Offer,
  ) {}

  /**
   * Asks the director that listens on the configuration's socket. Undefined: there is none, or it
   * has yielded; `say` gets a line about that. Rejects with an Error of one line when it cannot be
   * taken over.
   */
  static async of(config: Config, say: (line: string) => void): Promise<Taker | undefined> {
    if ((await whoListens(config.socket)) === undefined) return undefined;
    const client = new SocketClient(config.socket);
    const offer = JSON.parse(await ask(client, 'offer')) as Offer;
    const refusal = foreign(offer);
    if (refusal !== undefined) {
      client.close();
      throw new Error(`no takeover: ${refusal}; restart the director instead`);
    }
    const why = unfit(offer, config);
    if (why !== undefined) {
      say(`no takeover without a gap from process ${offer.pid}: ${why}; it stops, and its state is converted`);
      await ask(client, 'yield');
      client.close();
      return void (await whenFree(config));
    }
    const devices = config.devices.map((device, i) => ({ ...device, kind: offer.devices[i]!.kind }));
    return new Taker(client, { ...config, devices }, offer);
  }

  /** The running director. */
  get pid(): number {
    return this.offer.pid;
  }

  /** Devices and frames, with descriptors of this process. Throws a SystemError. */
  adopt(): Transfer {
    const descriptors = new ForeignDescriptors(this.offer.pid);
    try {
      return adoptAll(this.offer.handed, (fd) => descriptors.take(fd));
    } finally {
      descriptors.close();
    }
  }

  /** The other director forwards no more. Resolves with the positions of the rings. */
  async go(): Promise<Positions> {
    this.stepForward();
    hurry();
    return JSON.parse(await ask(this.client, 'go')) as Positions;
  }

  /** This director forwards: the other one ends. */
  async done(): Promise<void> {
    await ask(this.client, 'done');
    this.close();
  }

  /** Without `done` the other director goes on when this process has ended. */
  close(): void {
    this.client.close();
  }
}

async function ask(client: SocketClient, step: 'offer' | 'go' | 'done' | 'yield'): Promise<string> {
  const reply = await client.request({ op: 'takeover', step, pid: process.pid });
  if (reply.ok) return reply.takeover ?? 'null';
  client.close();
  throw new Error(`no takeover: ${reply.text ?? reply.errno}`);
}
