/**
 * Sysctl files that programs have open for writing. A program gets the write end of a pipe. What it
 * wrote is set before the supervisor answers the next stopped call, so a program that writes and
 * then reads sees its value. The write itself cannot fail: a wrong value is reported on stderr.
 */
import type { AdminClient } from '../../control/api/api.js';
import type { SysctlName } from '../../service/sysctl.js';
import { close, errno, errnoName, read } from '../../sys/libc.js';
import { Refusal } from '../refusal.js';
import { writeSysctl } from './sysctl.js';

/** Bytes; a sysctl's value is a number. */
const LARGEST = 4096;

interface Open {
  readonly file: SysctlName;
  text: string;
}

export class WrittenSysctls {
  private readonly byPipe = new Map<number, Open>();
  private readonly chunk = new Uint8Array(new ArrayBuffer(LARGEST));

  constructor(
    private readonly client: AdminClient,
    private readonly report: (line: string) => void,
  ) {}

  /** How many are open. */
  get size(): number {
    return this.byPipe.size;
  }

  /** For poll. */
  get pipes(): Iterable<number> {
    return this.byPipe.keys();
  }

  add(pipe: number, file: SysctlName): void {
    this.byPipe.set(pipe, { file, text: '' });
  }

  /** Sets what has been written since. A value ends with its line, or when the file is closed. */
  async drain(): Promise<void> {
    for (const [pipe, open] of this.byPipe) {
      const isClosed = this.readAll(pipe, open);
      if (open.text !== '' && (isClosed || open.text.endsWith('\n'))) await this.set(open);
      if (isClosed) this.remove(pipe);
    }
  }

  /** Returns whether no program has the file open any more. */
  private readAll(pipe: number, open: Open): boolean {
    for (;;) {
      const n = read(pipe, this.chunk, LARGEST);
      if (n <= 0) return n === 0 || errnoName(errno()) !== 'EAGAIN';
      open.text = (open.text + Buffer.from(this.chunk.subarray(0, n)).toString('latin1')).slice(-LARGEST);
    }
  }

  private async set(open: Open): Promise<void> {
    try {
      await writeSysctl(open.file, open.text, this.client);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.report(error.text === '' ? `sysctl ${open.file}: ${error.code}` : error.text);
    }
    open.text = '';
  }

  private remove(pipe: number): void {
    this.byPipe.delete(pipe);
    close(pipe);
  }
}
