/**
 * The way of connections from a worker to the control thread, which sends them: a ring in shared
 * memory with one writer and one reader. When it is full, connections are lost and counted.
 *
 *      words   [0] written   [1] read   [2] lost        (bytes since the start, int32 that wraps)
 *      record  | size 16 | kind 8 | port 8 | connection, padded to 4 |
 *
 * A record never wraps around the end of the ring: a record of size 0 fills the rest.
 */
import { CONN_MOST } from '../../wire/sync.js';

const HEAD = 64;
const WRITTEN = 0;
const READ = 1;
const LOST = 2;
const RECORD_HEAD = 4;
/** Room that must be free for a record. */
const RECORD_MOST = RECORD_HEAD + ((CONN_MOST + 3) & ~3);

/** Kinds of records: the version of the protocol, and an answer to a backup that asked for all. */
export const RecordKind = { version0: 0, version1: 1, resend: 2 } as const;

export class SyncRing {
  /** The record that `read` found: `size` bytes from `at` on. */
  at = 0;
  size = 0;
  kind = 0;
  port = 0;
  readonly view: DataView;
  readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private readonly mask: number;

  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory, 0, HEAD >> 2);
    this.view = new DataView(memory, HEAD);
    this.bytes = new Uint8Array(memory, HEAD);
    this.mask = this.bytes.length - 1;
  }

  /** Memory for a ring of `size` bytes, a power of two. */
  static memory(size = 1 << 22): SharedArrayBuffer {
    return new SharedArrayBuffer(HEAD + size);
  }

  /** Connections that found no room. */
  get lost(): number {
    return Atomics.load(this.words, LOST) >>> 0;
  }
  /** At least half of the ring is free. */
  get isRoomy(): boolean {
    return ((this.words[WRITTEN]! - Atomics.load(this.words, READ)) | 0) < this.mask >> 1;
  }

  /**
   * Returns where the writer may put a connection of up to CONN_MOST bytes; `commit` follows. −1:
   * there is no room, and one is counted as lost.
   */
  reserve(): number {
    const { words, mask } = this;
    const written = words[WRITTEN]!;
    const used = (written - Atomics.load(words, READ)) | 0;
    const place = written & mask;
    const rest = mask + 1 - place;
    const skip = rest < RECORD_MOST ? rest : 0;
    if (used + skip + RECORD_MOST > mask + 1) {
      Atomics.add(words, LOST, 1);
      return -1;
    }
    if (skip === 0) return place + RECORD_HEAD;
    this.view.setUint16(place, 0);
    words[WRITTEN] = (written + skip) | 0;
    return RECORD_HEAD;
  }

  /** Ends the record that `reserve` began: the reader sees it from now on. */
  commit(size: number, kind: number, port: number): void {
    const { words, view, mask } = this;
    const place = words[WRITTEN]! & mask;
    view.setUint16(place, size);
    view.setUint8(place + 2, kind);
    view.setUint8(place + 3, port);
    Atomics.store(words, WRITTEN, (words[WRITTEN]! + RECORD_HEAD + ((size + 3) & ~3)) | 0);
  }

  /** Finds the next record. Returns false when there is none. `done` gives it back. */
  read(): boolean {
    const { words, view, mask } = this;
    for (;;) {
      const read = words[READ]!;
      if (read === Atomics.load(words, WRITTEN)) return false;
      const place = read & mask;
      this.size = view.getUint16(place);
      if (this.size !== 0) {
        this.kind = view.getUint8(place + 2);
        this.port = view.getUint8(place + 3);
        this.at = place + RECORD_HEAD;
        return true;
      }
      Atomics.store(words, READ, (read + mask + 1 - place) | 0);
    }
  }

  done(): void {
    const { words } = this;
    Atomics.store(words, READ, (words[READ]! + RECORD_HEAD + ((this.size + 3) & ~3)) | 0);
  }
}
