/**
 * Packs connections into messages, as the kernel's master does (ip_vs_sync_conn,
 * sync_thread_master).
 *
 *      connection ─► buffer ─┬─ no room for it, or another version ─► message leaves, a new buffer
 *                            └─ 2 s old when the daemon looks ──────► message leaves
 *
 * The daemon looks once a second. The kernel's wheel makes 1.024 s of it at 250 Hz.
 */
import { CONNS_MOST, MESSAGE_HEADER } from '../../wire/sync.js';
import { writeHeader } from '../../wire/sync-message.js';
import { MESSAGE_HEADER_V0 } from '../../wire/sync-v0.js';

/** The age, in ms, at which a message leaves that is not full. */
export const USUAL_DELAY = 2000;
const LOOK_EVERY = 1024;

/** Sends a message; the bytes are its own. */
export type Emit = (message: Uint8Array) => void;

export class MasterBuffer {
  private bytes = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  /** Bytes in use; 0: there is no message. */
  private size = 0;
  private connections = 0;
  private version = 1;
  private since = 0;
  private nextLook: number;
  private readonly lookEvery: number;

  /** `maxlen`: bytes of a message. `now`: ms. `delay`: see USUAL_DELAY. */
  constructor(
    private readonly syncid: number,
    private readonly maxlen: number,
    private readonly emit: Emit,
    now: number,
    private readonly delay = USUAL_DELAY,
  ) {
    this.lookEvery = delay < USUAL_DELAY ? Math.max(1, delay / 2) : LOOK_EVERY;
    this.nextLook = now + this.lookEvery;
  }

  /** Adds a connection in its form on the wire. `version` of the protocol: 0 or 1. */
  push(conn: Uint8Array, version: number, now: number): void {
    if (this.size !== 0 && !this.fits(conn.length, version)) this.flush();
    if (this.size === 0) this.begin(conn.length, version, now);
    // Version 0 has no padding; its connections are multiples of 4.
    const at = (this.size + 3) & ~3;
    this.bytes.set(conn, at);
    this.size = at + conn.length;
    this.connections++;
  }

  private fits(length: number, version: number): boolean {
    const end = ((this.size + 3) & ~3) + length;
    return version === this.version && end <= this.bytes.length && this.connections < CONNS_MOST;
  }

  /** A connection that is longer than `maxlen` gets a message of its own size. */
  private begin(length: number, version: number, now: number): void {
    const header = version === 0 ? MESSAGE_HEADER_V0 : MESSAGE_HEADER;
    this.bytes = new Uint8Array(Math.max(this.maxlen, header + length));
    this.view = new DataView(this.bytes.buffer);
    this.size = header;
    this.connections = 0;
    this.version = version;
    this.since = now;
  }

  /** Sends the message when it is old enough. Call it often; `now` in ms. */
  tick(now: number): void {
    for (; now >= this.nextLook; this.nextLook += this.lookEvery)
      if (this.size !== 0 && this.nextLook - this.since >= this.delay) this.flush();
  }

  /** Sends the message now, if there is one. */
  flush(): void {
    if (this.size === 0) return;
    const message = this.bytes.subarray(0, this.size);
    if (this.version === 1) writeHeader(this.view, this.syncid, this.size, this.connections);
    else {
      this.view.setUint8(0, this.connections);
      this.view.setUint8(1, this.syncid);
      this.view.setUint16(2, this.size);
    }
    this.size = 0;
    this.emit(message);
  }
}
