/**
 * The synchronisation daemons of a director: at most one master and one backup, in the control
 * thread.
 *
 *      workers ─ rings ─► MasterBuffer ─ sign ─► UDP multicast ─► check, sign ─ messages ─► workers
 *
 * A backup that starts asks for everything. A master that hears it has the workers write all
 * connections, and sends them as answers (requests.ts).
 */
import { randomInt } from 'node:crypto';
import { RecordKind, SyncRing } from '../../dataplane/sync/ring.js';
import type { Sysctls } from '../../service/sysctl.js';
import { Fault, SyncConn } from '../../wire/sync.js';
import { readConns, readHeader } from '../../wire/sync-message.js';
import type { Errno } from '../api/api.js';
import type { Message } from '../engine/messages.js';
import { SyncAuth, TRAILER } from './auth.js';
import { daemonOf, type SyncDaemon, type SyncOptions, type SyncRole } from './daemon.js';
import { MasterBuffer, USUAL_DELAY } from './master-buffer.js';
import type { SyncNet, SyncSockets } from './net.js';
import { encodeRequest, isRequest, nonceOf, setNonce } from './requests.js';
import { newSyncStats, type SyncStats } from './stats.js';

/** A backup repeats its request: the network may not have joined it to the group at the first. */
const ASK_AGAIN_MS = [0, 1000, 3000];
/** A master answers one request in this time, in ms. */
const ANSWER_EVERY = 500;
/**
 * Connections of an answer that leave in one poll, by worker. The others wait in the ring, and the
 * worker waits for room there. A burst would not fit into the socket of a backup that is busy.
 */
const RESEND_MOST = 1000;

/** The key sync of director.yaml. */
export interface SyncConfig {
  readonly master?: SyncOptions | undefined;
  readonly backup?: SyncOptions | undefined;
  readonly key?: string | undefined;
  /** Age at which a message leaves that is not full, in ms. */
  readonly delay: number;
}

/** What the daemons need of their director. */
export interface SyncHost {
  readonly net: SyncNet;
  send(message: Message): void;
  /** ms. */
  now(): number;
  sysctl(): Sysctls;
  readonly workers: number;
  /** Backups do not ask for everything, masters do not answer: as the kernel. */
  readonly plain?: boolean;
  /** From now on `poll` is needed, or no longer. */
  readonly polling?: (needed: boolean) => void;
}

interface Master {
  readonly daemon: SyncDaemon;
  readonly sockets: SyncSockets;
  readonly rings: readonly SyncRing[];
  readonly memory: readonly SharedArrayBuffer[];
  /** By port. */
  readonly buffers: readonly MasterBuffer[];
  readonly answers: MasterBuffer;
  /** Hears requests. */
  readonly ear: SyncSockets | undefined;
}
interface Backup {
  readonly daemon: SyncDaemon;
  readonly sockets: SyncSockets;
  readonly nonce: number;
  /** Asks for everything. */
  readonly mouth: SyncSockets | undefined;
  readonly askAt: number[];
}

export class SyncDaemons {
  readonly stats: SyncStats = newSyncStats();
  private master: Master | undefined;
  private backup: Backup | undefined;
  private auth: SyncAuth | undefined;
  /** What the configuration said last. */
  private configured: SyncConfig = { delay: USUAL_DELAY };
  private readonly conn = new SyncConn();
  private ports = 1;
  private answering = 0;
  private answered = Number.NEGATIVE_INFINITY;

  constructor(private readonly host: SyncHost) {}

  /** The interfaces that `config` names and the host does not have. */
  missing({ master, backup }: SyncConfig): string[] {
    const named = Object.entries({ master, backup }).filter(([, one]) => one !== undefined);
    return named
      .filter(([, one]) => this.host.net.mtu(one!.interface) === undefined)
      .map(([role, one]) => `sync.${role}.interface: there is no interface ${one!.interface}`);
  }

  /**
   * Starts and stops daemons as the configuration changed. Those that --start-daemon started stay,
   * unless the file names that role. Throws an Error of one line when a socket fails.
   */
  configure(config: SyncConfig): void {
    const last = this.configured;
    const isCommon = last.key === config.key && last.delay === config.delay;
    this.configured = config;
    if (last.key !== config.key) this.auth = config.key === undefined ? undefined : new SyncAuth(config.key);
    for (const role of ['master', 'backup'] as const) {
      const isSame = JSON.stringify(last[role]) === JSON.stringify(config[role]);
      if (isSame && (isCommon || this.daemonOf(role) === undefined)) continue;
      const wanted = config[role] ?? (isSame || last[role] === undefined ? this.daemonOf(role) : undefined);
      if (last[role] !== undefined || wanted !== undefined) this.stop(role);
      if (wanted !== undefined) this.start(role, wanted);
    }
  }

  /** Opens the sockets anew of an interface that was removed and made again. Call it at times. */
  refresh(): void {
    for (const one of [this.master, this.backup]) {
      if (one === undefined || !one.sockets.isStale()) continue;
      this.stop(one.daemon.role);
      this.start(one.daemon.role, one.daemon);
    }
  }

  /** Messages that tell a fresh worker which daemons run. */
  replay(): Message[] {
    const { master, backup } = this;
    return [
      ...(master === undefined ? [] : [this.masterMessage(master.memory)]),
      ...(backup === undefined ? [] : [{ kind: 'syncBackup' as const, running: true }]),
    ];
  }

  private masterMessage(rings: readonly SharedArrayBuffer[]): Message {
    return { kind: 'syncMaster', rings, ports: this.ports, sequences: this.auth !== undefined };
  }

  private daemonOf(role: SyncRole): SyncDaemon | undefined {
    return (role === 'master' ? this.master : this.backup)?.daemon;
  }

  list(): SyncDaemon[] {
    return [this.master, this.backup].flatMap((one) => (one === undefined ? [] : [one.daemon]));
  }

  /**
   * Returns an errno when the daemon was not started (start_sync_thread). Throws when a socket
   * fails.
   */
  start(role: SyncRole, options: SyncOptions): Errno | undefined {
    const mtu = this.host.net.mtu(options.interface);
    if (mtu === undefined) return 'ENODEV';
    if (this.daemonOf(role) !== undefined) return 'EEXIST';
    if (this.master === undefined && this.backup === undefined) this.countPorts();
    const daemon = daemonOf(role, options, mtu);
    if (role === 'master') this.startMaster(daemon);
    else this.startBackup(daemon);
    this.host.polling?.(true);
    return undefined;
  }

  /** As in the kernel, the number of ports is that of the first daemon's start. */
  private countPorts(): void {
    const { sync_ports: ports } = this.host.sysctl();
    this.ports = ports;
  }

  stop(role: SyncRole): Errno | undefined {
    if (this.daemonOf(role) === undefined) return 'ESRCH';
    if (role === 'master') this.stopMaster();
    else this.stopBackup();
    this.host.polling?.(this.list().length > 0);
    return undefined;
  }

  /** The director ends: what waits is sent. */
  close(): void {
    this.poll(Number.POSITIVE_INFINITY);
    for (const buffer of this.master?.buffers ?? []) buffer.flush();
    this.stopMaster();
    this.stopBackup();
  }

  /** Sends what the workers have written, and what is old enough. Call it every 20 ms or so. */
  poll(most = RESEND_MOST): void {
    this.ask();
    if (this.master === undefined) return;
    const now = this.host.now();
    for (const ring of this.master.rings) this.drain(this.master, ring, now, most);
    for (const buffer of this.master.buffers) buffer.tick(now);
    this.master.answers.tick(now);
    this.stats.ringFull = this.master.rings.reduce((sum, ring) => sum + ring.lost, 0);
  }

  private drain(master: Master, ring: SyncRing, now: number, most: number): void {
    for (let left = most; left > 0 && ring.read(); ring.done()) {
      const conn = ring.bytes.subarray(ring.at, ring.at + ring.size);
      this.stats.connectionsSent++;
      if (ring.kind !== RecordKind.resend) master.buffers[ring.port]!.push(conn, ring.kind, now);
      else {
        master.answers.push(conn, 1, now);
        left--;
      }
    }
  }

  private startMaster(daemon: SyncDaemon): void {
    const { host, ports } = this;
    const sockets = host.net.sender(daemon, ports, this.limits());
    const now = host.now();
    const room = this.auth === undefined ? daemon.maxlen : Math.max(1, daemon.maxlen - TRAILER);
    const buffer = (emit: (bytes: Uint8Array) => void, delay: number) =>
      new MasterBuffer(daemon.syncid, room, emit, now, delay);
    const memory = Array.from({ length: host.workers }, () => SyncRing.memory());
    this.master = {
      daemon,
      sockets,
      memory,
      rings: memory.map((one) => new SyncRing(one)),
      buffers: Array.from({ length: ports }, (_, i) => buffer((bytes) => this.emit(bytes, i), this.configured.delay)),
      answers: buffer((bytes) => this.answer(bytes), 100),
      ear: host.plain ? undefined : this.hear(daemon),
    };
    host.send(this.masterMessage(memory));
  }

  /** A master hears requests on the first port. */
  private hear(daemon: SyncDaemon): SyncSockets {
    return this.host.net.receiver(daemon, 1, this.limits(), (bytes, from) => {
      const message =
        this.auth === undefined ? bytes : isRequestLength(bytes) ? this.auth.open(bytes, from) : undefined;
      if (message !== undefined && isRequest(message) && message[1] === daemon.syncid) this.requested(nonceOf(message));
    });
  }

  private stopMaster(): void {
    this.master?.sockets.close();
    this.master?.ear?.close();
    if (this.master !== undefined) this.host.send(this.masterMessage([]));
    this.master = undefined;
  }

  private startBackup(daemon: SyncDaemon): void {
    const { host, ports } = this;
    const sockets = host.net.receiver(daemon, ports, this.limits(), (bytes, from) => this.received(bytes, from));
    const mouth = host.plain ? undefined : host.net.sender(daemon, 1, this.limits());
    const now = host.now();
    this.backup = { daemon, sockets, nonce: randomInt(1, 0x10000), mouth, askAt: ASK_AGAIN_MS.map((ms) => now + ms) };
    host.send({ kind: 'syncBackup', running: true });
  }

  private stopBackup(): void {
    this.backup?.sockets.close();
    this.backup?.mouth?.close();
    if (this.backup !== undefined) this.host.send({ kind: 'syncBackup', running: false });
    this.backup = undefined;
  }

  private limits() {
    const sysctl = this.host.sysctl();
    return { socketSize: sysctl.sync_sock_size, queue: sysctl.sync_qlen_max };
  }

  private emit(bytes: Uint8Array, port: number): void {
    const { master, auth, stats } = this;
    if (master === undefined) return;
    const signed = auth === undefined ? bytes : auth.sign(bytes, master.sockets.from);
    if (master.sockets.send(signed, port)) stats.messagesSent++;
    else stats.queueFull++;
  }

  /** A message for the backup that asked. */
  private answer(bytes: Uint8Array): void {
    setNonce(bytes, this.answering);
    this.emit(bytes, 0);
  }

  private ask(): void {
    const { backup, auth } = this;
    if (backup?.mouth === undefined || backup.askAt.length === 0 || this.host.now() < backup.askAt[0]!) return;
    backup.askAt.shift();
    const request = encodeRequest(backup.daemon.syncid, backup.nonce);
    backup.mouth.send(auth === undefined ? request : auth.sign(request, backup.mouth.from), 0);
  }

  private requested(nonce: number): void {
    const now = this.host.now();
    if (nonce === this.backup?.nonce || (nonce === this.answering && now - this.answered < ANSWER_EVERY)) return;
    this.master?.answers.flush();
    this.answering = nonce;
    this.answered = now;
    this.stats.requests++;
    this.host.send({ kind: 'syncResend' });
  }

  private received(datagram: Uint8Array, from: string): void {
    const { backup, auth, stats } = this;
    if (backup === undefined) return;
    const bytes = auth === undefined ? datagram : auth.open(datagram, from);
    if (bytes === undefined) stats.unauthentic++;
    else this.take(backup, bytes);
  }

  private take({ daemon, nonce }: Backup, bytes: Uint8Array): void {
    const { stats } = this;
    const header = bytes.length > daemon.maxlen ? undefined : readHeader(bytes);
    const asked = nonceOf(bytes);
    if (header === undefined) stats.malformed++;
    else if (daemon.syncid !== 0 && header.syncid !== daemon.syncid) stats.otherSyncid++;
    else if (asked === 0) this.forward(bytes, false);
    else if (asked === nonce && !isRequest(bytes)) {
      // The asked ones have come: the request need not be repeated.
      this.backup!.askAt.length = 0;
      setNonce(bytes, 0);
      this.forward(bytes, true);
    }
  }

  /** Connections in front of a malformed one count, as in the kernel. */
  private forward(bytes: Uint8Array, fresh: boolean): void {
    const { stats } = this;
    const isSound = readConns(bytes, this.conn, (fault) => {
      if (fault === Fault.none) stats.connectionsReceived++;
      else stats.skipped++;
    });
    if (isSound) stats.messagesReceived++;
    else stats.malformed++;
    this.host.send({ kind: 'syncReceived', message: bytes, fresh });
  }
}

/** Messages of other masters come to the same port: their signatures are the backup's to check. */
function isRequestLength(bytes: Uint8Array): boolean {
  return bytes.length === 8 + TRAILER;
}
