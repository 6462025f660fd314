/**
 * The backup daemon: messages of the group go to the workers. When it starts it asks for
 * everything.
 *
 *     UDP multicast ─► check the signature, the header and each connection ─► workers
 */
import { randomInt } from 'node:crypto';
import { Fault, SyncConn } from '../../wire/sync.js';
import { readConns, readHeader } from '../../wire/sync-message.js';
import type { SyncDaemon } from './daemon.js';
import { type Common, limitsOf } from './host.js';
import type { SyncSockets } from './net.js';
import { encodeRequest, isRequest, nonceOf, setNonce } from './requests.js';

/** A backup repeats its request: the network may not have joined it to the group at the first. */
const ASK_AGAIN_MS = [0, 1000, 3000];
/** An answer has ended when nothing of it comes for this time. */
const ENDED_MS = 500;
/** Without an answer for this time there is nobody to give one. */
const NOBODY_MS = 1500;

export class SyncBackup {
  readonly sockets: SyncSockets;
  /** Its requests and their answers have this number. */
  readonly nonce = randomInt(1, 0x10000);
  /** Asks for everything. */
  private readonly mouth: SyncSockets | undefined;
  private readonly askAt: number[];
  /** When it will have settled, unless an answer comes. */
  private settlesAt: number;
  private readonly conn = new SyncConn();

  /** Throws when a socket fails. */
  constructor(
    readonly daemon: SyncDaemon,
    private readonly common: Common,
  ) {
    const { host, ports } = common;
    this.sockets = host.net.receiver(daemon, ports, limitsOf(host), (bytes, from) => this.received(bytes, from));
    this.mouth = host.plain ? undefined : host.net.sender(daemon, 1, limitsOf(host));
    const now = host.now();
    this.askAt = ASK_AGAIN_MS.map((ms) => now + ms);
    this.settlesAt = this.mouth === undefined ? now : now + NOBODY_MS;
    host.send({ kind: 'syncBackup', running: true });
  }

  /** The answer has come, or nobody answers: it knows the connections that others know. */
  get isSettled(): boolean {
    return this.common.host.now() >= this.settlesAt;
  }

  /** Asks for everything when it is time. */
  poll(): void {
    const { host, auth } = this.common;
    if (this.mouth === undefined || this.askAt.length === 0 || host.now() < this.askAt[0]!) return;
    this.askAt.shift();
    const request = encodeRequest(this.daemon.syncid, this.nonce);
    this.mouth.send(auth === undefined ? request : auth.sign(request, this.mouth.from), 0);
  }

  close(): void {
    this.sockets.close();
    this.mouth?.close();
    this.common.host.send({ kind: 'syncBackup', running: false });
  }

  private received(datagram: Uint8Array, from: string): void {
    const { auth, stats } = this.common;
    const bytes = auth === undefined ? datagram : auth.open(datagram, from);
    if (bytes === undefined) stats.unauthentic++;
    else this.take(bytes);
  }

  private take(bytes: Uint8Array): void {
    const { daemon, nonce } = this;
    const { stats } = this.common;
    const header = bytes.length > daemon.maxlen ? undefined : readHeader(bytes);
    const asked = nonceOf(bytes);
    if (header === undefined) stats.malformed++;
    else if (daemon.syncid !== 0 && header.syncid !== daemon.syncid) stats.otherSyncid++;
    else if (asked === 0) this.forward(bytes, false);
    else if (asked === nonce && !isRequest(bytes)) {
      // The answer has come: the request need not be repeated.
      this.askAt.length = 0;
      this.settlesAt = this.common.host.now() + ENDED_MS;
      setNonce(bytes, 0);
      this.forward(bytes, true);
    }
  }

  /** Connections in front of a malformed one count, as in the kernel. */
  private forward(bytes: Uint8Array, fresh: boolean): void {
    const { stats, host } = this.common;
    const isSound = readConns(bytes, this.conn, (fault) => {
      if (fault === Fault.none) stats.connectionsReceived++;
      else stats.skipped++;
    });
    if (isSound) stats.messagesReceived++;
    else stats.malformed++;
    host.send({ kind: 'syncReceived', message: bytes, fresh });
  }
}
