/**
 * open(2) and openat(2): files of IPVS in /proc are answered with a descriptor of a file in memory
 * that has their text now, or of a pipe for what is written. All other files are the kernel's.
 */
import type { AdminClient } from '../../control/api/api.js';
import { procText } from '../../proc/text.js';
import { close } from '../../sys/libc.js';
import { memoryFile, openPipe } from '../../sys/process.js';
import { peek } from '../../sys/process-memory.js';
import { type Notification, O_CLOEXEC, respondWithFd } from '../../sys/seccomp.js';
import { type IpvsFile, ipvsFile } from '../files/path.js';
import { sysctlText } from '../files/sysctl.js';
import { WrittenSysctls } from '../files/written.js';
import { Refusal } from '../refusal.js';
import { LEFT_TO_KERNEL, type Served } from './result.js';

const O_ACCMODE = 3;
const PAGE = 4096n;
/** Bytes; paths of IPVS are shorter. */
const LONGEST_PATH = 128;
const PROC = Buffer.from('/proc/');

export class OpenCalls {
  readonly written: WrittenSysctls;

  constructor(
    private readonly listener: number,
    private readonly client: AdminClient,
    report: (line: string) => void,
  ) {
    this.written = new WrittenSysctls(client, report);
  }

  openat(call: Notification): Promise<Served> {
    return this.openAt(call, call.wide(1), call.int(2));
  }

  open(call: Notification): Promise<Served> {
    return this.openAt(call, call.wide(0), call.int(1));
  }

  private async openAt(call: Notification, path: bigint, flags: number): Promise<Served> {
    const file = ipvsFile(readPath(call.thread, path));
    if (file === undefined) return LEFT_TO_KERNEL;
    if ((flags & O_ACCMODE) === 0) await this.give(call, memoryFile('ip_vs', await this.textOf(file)), flags);
    else this.giveForWriting(call, file, flags);
    return 'answered';
  }

  private async textOf(file: IpvsFile): Promise<Uint8Array> {
    const text = file.kind === 'text' ? procText(file.name, this.client) : sysctlText(file.name, this.client);
    return Buffer.from(await text);
  }

  private give(call: Notification, fd: number, flags: number): void {
    try {
      respondWithFd(this.listener, call.id, fd, undefined, flags & O_CLOEXEC);
    } finally {
      close(fd);
    }
  }

  private giveForWriting(call: Notification, file: IpvsFile, flags: number): void {
    if (file.kind === 'text') throw new Refusal('EACCES'); // mode 0444, also for root here
    const { readEnd, writeEnd } = openPipe();
    this.written.add(readEnd, file.name); // when the caller is gone, the pipe has no writer, and is dropped
    this.give(call, writeEnd, flags);
  }
}

/** The path, or '' when it cannot be one of IPVS: it is too long, or not in /proc. */
function readPath(thread: number, at: bigint): string {
  const inPage = Number(PAGE - (at & (PAGE - 1n)));
  const first = peek(thread, at, Math.min(inPage, LONGEST_PATH));
  if (Buffer.compare(first.subarray(0, PROC.length), PROC.subarray(0, first.length)) !== 0) return '';
  const isWhole = first.includes(0) || first.length === LONGEST_PATH;
  const bytes = isWhole ? first : Buffer.concat([first, peek(thread, at + BigInt(inPage), LONGEST_PATH - inPage)]);
  const end = bytes.indexOf(0);
  return end < 0 ? '' : bytes.toString('latin1', 0, end);
}
