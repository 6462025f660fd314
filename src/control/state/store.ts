/**
 * The state of a director: what outlives its process, as files of one directory. The directory is
 * in a tmpfs, so that the files are memory.
 *
 *     lock        locked by the director that uses the state (flock)
 *     rules       the journal of the rules (journal.ts)
 *     worker-N    memory of worker N (worker-file.ts)
 *     *.refused   a file that this version must not use, moved aside
 *     former      files of another shape while they are converted (conversion.ts)
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import type { SteeringStage } from '../../dataplane/workers/steering.js';
import type { ServiceConfig } from '../../service/config.js';
import { Counters } from '../../stats/counters.js';
import { lockFile } from '../../sys/libc.js';
import type { Action } from '../rules/actions.js';
import type { ZeroPoints } from '../rules/counter-base.js';
import { convert, DONE, FORMER } from './conversion.js';
import { bootId, type Header } from './header.js';
import { actionsOf, type Birth, JOURNAL_VERSION, Journal, type JournalRecord, readJournal } from './journal.js';
import { layoutHash, VERSION } from './layout.js';
import type { FormerSteering } from './placement.js';
import { moveAside, openWorkerFile, type WorkerFile } from './worker-file.js';
import { zeroPointsIn } from './zero-points.js';

/** The state cannot be used; the message is one line. */
export class StateError extends Error {}

/** What the director needs. */
export interface StoreNeeds {
  readonly directory: string;
  readonly workers: number;
  /** Lines of each worker's table. */
  readonly lines: number;
  /** Another director still uses the state; `own` makes it this one's. */
  readonly shared?: boolean;
  /** Ports of the FTP helper. */
  readonly ftp?: readonly number[];
  /** Begin with nothing, whatever is there. */
  readonly fresh: boolean;
  /** Gets one line when files were converted. */
  readonly info: (message: string) => void;
  /** Gets one line for each file that is moved aside, and when a conversion lost connections. */
  readonly warn: (message: string) => void;
}

/** An open state. */
export class Store {
  /**
   * The name of the state, the same as long as its connections and rules go on; a secret for
   * steering.
   */
  readonly birth: Birth;
  readonly workers: readonly WorkerFile[];
  readonly zeroPoints: ZeroPoints;
  /** The journal of the former process; empty: there was none. */
  records: readonly JournalRecord[];
  private lock = -1;

  /** Opens or makes the state. Throws a StateError. */
  constructor(private readonly needs: StoreNeeds) {
    const { directory } = needs;
    if (needs.shared !== true) this.own();
    if (needs.fresh) for (const name of filesOf(directory)) rmSync(path.join(directory, name), { recursive: true });
    this.records = this.readRules();
    const [first] = this.records;
    this.birth = first !== undefined && 'state' in first ? { ...first, version: JOURNAL_VERSION } : born();
    this.workers = this.openWorkers();
    this.zeroPoints = zeroPointsIn(this.workers[0]!.zeroPoints);
  }

  /** Locks the state. Throws a StateError when another director uses it. */
  own(): void {
    this.lock = lock(this.needs.directory);
  }

  /** Another director may lock the state; this one must not write into it any more. */
  disown(): void {
    if (this.lock >= 0) closeSync(this.lock);
    this.lock = -1;
  }

  get journalPath(): string {
    return path.join(this.needs.directory, 'rules');
  }

  /** Bytes that the files take already. */
  get used(): number {
    const { directory } = this.needs;
    return filesOf(directory).reduce((sum, name) => sum + statSync(path.join(directory, name)).blocks * 512, 0);
  }

  get gauges(): Int32Array {
    return new Counters(this.workers[0]!.counters).gauges;
  }

  /** Rules or connections of a former process go on. */
  get inherited(): boolean {
    return this.records.length > 0;
  }

  /** Gives the state back. Call it when no thread uses the memory any more. */
  close(): void {
    for (const worker of this.workers) worker.unmap();
    this.disown();
  }

  /** Removes a state that began with this process. Call `close` before. */
  forgetNew(): void {
    const { directory, shared } = this.needs;
    if (this.inherited || shared === true) return;
    for (const name of filesOf(directory)) if (!name.endsWith('.refused')) rmSync(path.join(directory, name));
  }

  private openWorkers(): WorkerFile[] {
    const { directory, workers, lines, warn, shared } = this.needs;
    const header = { version: VERSION, layout: layoutHash(), boot: bootId(), state: this.birth.state };
    const wanted = Array.from({ length: workers }, (_, worker): Header => {
      return { ...header, worker, workers, lines, secret: secret() };
    });
    // The running director of a takeover has files of the same shape.
    if (shared !== true) this.convert(wanted);
    return wanted.map((one) => openWorkerFile(path.join(directory, `worker-${one.worker}`), one, warn));
  }

  private convert(wanted: readonly Header[]): void {
    const { directory, info, warn } = this.needs;
    const keepStages = (kept: readonly SteeringStage[]) => {
      this.records = [...this.records, { stages: kept }];
      new Journal(this.journalPath, this.records).close();
    };
    convert({ directory, wanted, steering: () => this.steering(), info, warn, keepStages });
  }

  private steering(): FormerSteering {
    const { ftp = [] } = this.needs;
    const stages = this.records.flatMap((record) => ('stages' in record ? [record.stages] : [])).at(-1);
    const services = this.records.flatMap((record) => servicesOf(actionsOf(record) ?? []));
    return { secret: this.birth.secret, stages, services, ftp };
  }

  /** A journal that cannot be read is moved aside. Then the workers' files do not belong to it. */
  private readRules(): readonly JournalRecord[] {
    const { warn } = this.needs;
    try {
      const content = readJournal(this.journalPath);
      if (content?.torn) warn(`${this.journalPath}: the last line is not complete: the change in it was not made`);
      const why = content && refusalOf(content.records);
      if (why === undefined) return content?.records ?? [];
      moveAside(this.journalPath, why, warn);
    } catch (error) {
      moveAside(this.journalPath, (error as Error).message, warn);
    }
    return [];
  }
}

/** Why this program must not go on with a journal; undefined: it may. */
function refusalOf([first]: readonly JournalRecord[]): string | undefined {
  if (first === undefined || !('state' in first)) return 'its first line is missing';
  if (!Number.isInteger(first.version) || first.version < 1 || first.version > JOURNAL_VERSION)
    return `it has version ${first.version}, this is ulvs with version ${JOURNAL_VERSION}`;
  return first.boot === bootId() ? undefined : 'it is of another boot of the machine';
}

function born(): Birth {
  return { state: randomUUID(), version: JOURNAL_VERSION, boot: bootId(), secret: secret() };
}

/** Services of any time: connections of a removed one may go on. */
function servicesOf(actions: readonly Action[]): ServiceConfig[] {
  return actions.flatMap((action) => ('service' in action ? [action.service] : []));
}

function secret(): number[] {
  return [...crypto.getRandomValues(new Int32Array(3))];
}

function filesOf(directory: string): string[] {
  const isOurs = (name: string) => /^(rules|worker-\d+)(\.new|\.refused)?$/.test(name) || [FORMER, DONE].includes(name);
  return readdirSync(directory).filter(isOurs);
}

/** Makes and locks the directory. Returns the descriptor that holds the lock. */
function lock(directory: string): number {
  const file = path.join(directory, 'lock');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const fd = openSync(file, 'a+', 0o600);
    if (lockFile(fd)) {
      ftruncateSync(fd, 0);
      writeSync(fd, `${process.pid}\n`);
      return fd;
    }
    closeSync(fd);
  } catch (error) {
    throw new StateError(`state ${directory}: ${(error as Error).message}`);
  }
  throw new StateError(`state ${directory}: another director uses it${ownerOf(file)}; give each one its own 'state'`);
}

/** A director has locked the state in this directory. */
export function isInUse(directory: string): boolean {
  const file = path.join(directory, 'lock');
  if (!existsSync(file)) return false;
  const fd = openSync(file, 'r');
  const isFree = lockFile(fd);
  closeSync(fd);
  return !isFree;
}

function ownerOf(file: string): string {
  const pid = readFileSync(file, 'utf8').trim().split('\n').at(-1);
  return pid === '' ? '' : ` (pid ${pid})`;
}
