/**
 * The master daemon: what the workers write leaves as messages to the group. It hears backups that
 * ask for everything, has the workers write all connections, and sends those as answers.
 *
 *     workers ─ rings ─┬─ changes ─► buffer of each port ─┬─ sign ─► UDP multicast
 *                      └─ resends ─► buffer of answers ───┘
 */
import { RecordKind, SyncRing } from '../../dataplane/sync/ring.js';
import type { Message } from '../engine/messages.js';
import { TRAILER } from './auth.js';
import type { SyncDaemon } from './daemon.js';
import { type Common, limitsOf } from './host.js';
import { MasterBuffer } from './master-buffer.js';
import type { SyncSockets } from './net.js';
import { isRequest, nonceOf, setNonce } from './requests.js';

/** A master answers one request in this time, in ms. */
const ANSWER_EVERY = 500;
/** Age at which an answer leaves that is not full, in ms. */
const ANSWER_DELAY = 100;

export class SyncMaster {
  readonly sockets: SyncSockets;
  private readonly memory: readonly SharedArrayBuffer[];
  private readonly rings: readonly SyncRing[];
  /** By port. */
  private readonly buffers: readonly MasterBuffer[];
  private readonly answers: MasterBuffer;
  /** Hears requests. */
  private readonly ear: SyncSockets | undefined;
  /** The nonce of the last request, and when it was answered. */
  private answering = 0;
  private answered = Number.NEGATIVE_INFINITY;

  /**
   * `delay`: age at which a message leaves that is not full, in ms. `isOwn` tells a request of this
   * director's own backup. Throws when a socket fails.
   */
  constructor(
    readonly daemon: SyncDaemon,
    private readonly common: Common,
    delay: number,
    private readonly isOwn: (nonce: number) => boolean,
  ) {
    const { host, ports, auth } = common;
    this.sockets = host.net.sender(daemon, ports, limitsOf(host));
    const now = host.now();
    const room = auth === undefined ? daemon.maxlen : Math.max(1, daemon.maxlen - TRAILER);
    const buffer = (emit: (bytes: Uint8Array) => void, age: number) =>
      new MasterBuffer(daemon.syncid, room, emit, now, age);
    this.memory = Array.from({ length: host.workers }, () => SyncRing.memory());
    this.rings = this.memory.map((one) => new SyncRing(one));
    this.buffers = Array.from({ length: ports }, (_, i) => buffer((bytes) => this.emit(bytes, i), delay));
    this.answers = buffer((bytes) => this.answer(bytes), ANSWER_DELAY);
    this.ear = host.plain ? undefined : this.hear();
    host.send(this.message);
  }

  /** Tells a worker its ring. */
  get message(): Message {
    return this.messageWith(this.memory);
  }

  /** Sends what the workers have written, `most` resends of each, and what is old enough. */
  poll(most: number): void {
    const now = this.common.host.now();
    for (const ring of this.rings) this.drain(ring, now, most);
    for (const buffer of this.buffers) buffer.tick(now);
    this.answers.tick(now);
    this.common.stats.ringFull = this.rings.reduce((sum, ring) => sum + ring.lost, 0);
  }

  flush(): void {
    for (const buffer of this.buffers) buffer.flush();
  }

  close(): void {
    this.sockets.close();
    this.ear?.close();
    this.common.host.send(this.messageWith([]));
  }

  private messageWith(rings: readonly SharedArrayBuffer[]): Message {
    const { ports, auth } = this.common;
    return { kind: 'syncMaster', rings, ports, sequences: auth !== undefined };
  }

  private drain(ring: SyncRing, now: number, most: number): void {
    for (let left = most; left > 0 && ring.read(); ring.done()) {
      const conn = ring.bytes.subarray(ring.at, ring.at + ring.size);
      this.common.stats.connectionsSent++;
      if (ring.kind !== RecordKind.resend) this.buffers[ring.port]!.push(conn, ring.kind, now);
      else {
        this.answers.push(conn, 1, now);
        left--;
      }
    }
  }

  /** A master hears requests on the first port. */
  private hear(): SyncSockets {
    const { host, auth } = this.common;
    return host.net.receiver(this.daemon, 1, limitsOf(host), (bytes, from) => {
      const message = auth === undefined ? bytes : isRequestLength(bytes) ? auth.open(bytes, from) : undefined;
      if (message === undefined || !isRequest(message) || message[1] !== this.daemon.syncid) return;
      this.requested(nonceOf(message));
    });
  }

  private requested(nonce: number): void {
    const { host, stats } = this.common;
    const now = host.now();
    if (this.isOwn(nonce) || (nonce === this.answering && now - this.answered < ANSWER_EVERY)) return;
    this.answers.flush();
    this.answering = nonce;
    this.answered = now;
    stats.requests++;
    host.send({ kind: 'syncResend' });
  }

  /** A message for the backup that asked. */
  private answer(bytes: Uint8Array): void {
    setNonce(bytes, this.answering);
    this.emit(bytes, 0);
  }

  private emit(bytes: Uint8Array, port: number): void {
    const { auth, stats } = this.common;
    const signed = auth === undefined ? bytes : auth.sign(bytes, this.sockets.from);
    if (this.sockets.send(signed, port)) stats.messagesSent++;
    else stats.queueFull++;
  }
}

/** Messages of other masters come to the same port: their signatures are the backup's to check. */
function isRequestLength(bytes: Uint8Array): boolean {
  return bytes.length === 8 + TRAILER;
}
