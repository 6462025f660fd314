/** tcpdump on one interface of a lab's host, into a file; read back when it has ended. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../sys/command.js';
import { type Lab, track } from '../build/lab.js';
import { type Running, start, stop, untilReady } from '../build/process.js';
import { directoryOf, namespaceOf } from '../names.js';
import { readTcpdump, type Seen } from './tcpdump.js';

const SETTLE_MS = 100;
let serial = 0;

export class Capture {
  private constructor(
    private readonly running: Running,
    private readonly file: string,
  ) {}

  /** Resolves when tcpdump listens. `direction` as seen by the host; `filter` in pcap's words. */
  static async start(lab: Lab, host: string, dev: string, direction: 'in' | 'out' | 'inout', filter: string) {
    const base = `${directoryOf(lab.id)}/${host}-${dev}-${++serial}`;
    const words = [
      '-nn',
      '--immediate-mode',
      '-U',
      '-s',
      '0',
      '-B',
      '16384',
      '-Z',
      'root',
      '-i',
      dev,
      '-Q',
      direction,
      '-w',
      `${base}.pcap`,
    ];
    const what = `tcpdump on ${host} ${dev}`;
    const started = start(what, namespaceOf(lab.id, host), `${base}.log`, ['tcpdump', ...words, ...filter.split(' ')]);
    const running = track(lab, started);
    const capture = new Capture(running, `${base}.pcap`);
    try {
      await untilReady(running, () => /listening on/.test(readFileSync(running.log, 'utf8')));
    } catch (error) {
      await capture.stop();
      throw error;
    }
    return capture;
  }

  async stop(): Promise<void> {
    await stop([this.running]);
  }

  /** Stops, and reads what came. */
  async packets(): Promise<Seen[]> {
    await sleep(SETTLE_MS); // what tcpdump has not yet read from its socket when it is told to end is lost
    await this.stop();
    const { stdout } = await command('tcpdump', ['-r', this.file, '-tt', '-nn', '-e', '-vv']);
    return readTcpdump(stdout);
  }

  /** As packets(), of any protocol: how many there were, and the first as tcpdump words it. */
  async count(): Promise<{ count: number; first: string | undefined }> {
    await sleep(SETTLE_MS);
    await this.stop();
    const { stdout } = await command('tcpdump', ['-r', this.file, '-nn', '-e']);
    const lines = stdout.split('\n').filter(Boolean);
    return { count: lines.length, first: lines[0] };
  }

  /** Packets the kernel could not give tcpdump: with any of them a capture proves nothing. */
  get lost(): number {
    return Number(/(\d+) packets? dropped by kernel/.exec(readFileSync(this.running.log, 'utf8'))?.[1] ?? 0);
  }
}
