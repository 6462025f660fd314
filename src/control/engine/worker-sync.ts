/** A worker's part of synchronisation: its messages of the control thread. */
import { SyncState } from '../../conntrack/sync-state.js';
import type { Director } from '../../dataplane/director.js';
import { takeConn } from '../../dataplane/sync/backup.js';
import { RingMaster } from '../../dataplane/sync/master.js';
import { SyncRing } from '../../dataplane/sync/ring.js';
import type { WorkerDispatch } from '../../dataplane/workers/dispatch.js';
import { engineNamed, engineNumbered } from '../../persistence/index.js';
import { Fault, SyncConn } from '../../wire/sync.js';
import { readConns } from '../../wire/sync-message.js';
import type { Message } from './messages.js';

export type SyncMessage = Extract<Message, { kind: 'syncMaster' | 'syncBackup' | 'syncReceived' | 'syncResend' }>;

type ReceivedMessage = Extract<SyncMessage, { kind: 'syncReceived' }>;

/** Messages that may wait for the index of the table. */
const MOST_WAITING = 10_000;

export function isSyncMessage(message: Message): message is SyncMessage {
  return message.kind.startsWith('sync');
}

const nameOf = (number: number): string => engineNumbered(number)?.name ?? '';
const numberOf = (name: string): number => engineNamed(name)?.number ?? 0;

export class WorkerSync {
  private readonly conn = new SyncConn();
  private isBackup = false;
  /** Tick at which the backup started. */
  private since = 0;
  /** Messages from while the table of a former process gets its index back. */
  private readonly waiting: ReceivedMessage[] = [];
  private master: RingMaster | undefined;

  /** `dispatch`: with several workers. */
  constructor(
    private readonly d: Director,
    private readonly dispatch?: WorkerDispatch,
  ) {}

  handle(message: SyncMessage): void {
    switch (message.kind) {
      case 'syncMaster':
        return this.setMaster(message);
      case 'syncBackup':
        this.isBackup = message.running;
        this.since = this.d.connections.now;
        this.remember();
        return this.noteSettings();
      case 'syncReceived':
        return this.receive(message);
      case 'syncResend':
        return this.master?.resend();
    }
  }

  /** Call after the sysctls changed. */
  noteSettings(): void {
    this.d.backupOnly = this.isBackup && this.d.sysctl.backup_only !== 0;
  }

  private setMaster({ rings, ports, sequences }: Extract<SyncMessage, { kind: 'syncMaster' }>): void {
    const memory = rings[this.dispatch?.index ?? 0];
    this.master = undefined;
    if (memory !== undefined) {
      this.remember();
      this.master = new RingMaster(this.d, new SyncRing(memory), nameOf, { ports, sequences });
    }
    const { master } = this;
    this.d.sync = master;
    this.d.connections.onPostponed = master && ((entry) => master.postponed(entry));
  }

  /** The memory is kept when the daemon stops, as each connection of the kernel keeps its words. */
  private remember(): void {
    this.d.connections.sync ??= new SyncState(this.d.connections.table.maxEntries);
  }

  /** A table without its index would get a connection twice. */
  private receive(message: ReceivedMessage): void {
    if (this.d.rebuild !== undefined) {
      if (this.waiting.length < MOST_WAITING) this.waiting.push(message);
      return;
    }
    for (const one of this.waiting.splice(0)) this.take(one);
    this.take(message);
  }

  private take({ message, fresh }: ReceivedMessage): void {
    const { conn, d } = this;
    const since = fresh ? this.since : undefined;
    readConns(message, conn, (fault) => {
      if (fault === Fault.none && this.isOurs()) takeConn(d, conn, numberOf, since);
    });
  }

  /** Each client belongs to one worker. */
  private isOurs(): boolean {
    const { dispatch, conn } = this;
    if (dispatch === undefined) return true;
    return dispatch.steering.ofClient(conn.family, conn.caddr, conn.cport) === dispatch.index;
  }
}
