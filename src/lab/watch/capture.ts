/** tcpdump on one device of a lab's host, into a file that is read after it has ended. */

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../sys/command.js';
import { type Lab, track } from '../build/lab.js';
import { type Running, start, stop, untilReady } from '../build/process.js';
import { directoryOf, namespaceOf } from '../names.js';
import { type CapturedPacket, readTcpdump } from './tcpdump.js';

const SETTLE_MS = 100;
let serial = 0;

export class Capture {
  private constructor(
    private readonly running: Running,
    private readonly file: string,
  ) {}

  /**
   * Resolves when tcpdump is listening. `direction` is seen from the host; `filter` is a pcap
   * filter. Throws a LabError if tcpdump does not start.
   */
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

  /** Ends the capture and returns the IP packets. */
  async packets(): Promise<CapturedPacket[]> {
    await sleep(SETTLE_MS); // tcpdump loses what it has not read from its socket when it ends
    await this.stop();
    const { stdout } = await command('tcpdump', ['-r', this.file, '-tt', '-nn', '-e', '-vv']);
    return readTcpdump(stdout);
  }

  /**
   * Ends the capture and returns the number of packets of any protocol, and tcpdump's line of the
   * first.
   */
  async count(): Promise<{ count: number; first: string | undefined }> {
    await sleep(SETTLE_MS);
    await this.stop();
    const { stdout } = await command('tcpdump', ['-r', this.file, '-nn', '-e']);
    const lines = stdout.split('\n').filter(Boolean);
    return { count: lines.length, first: lines[0] };
  }

  /**
   * Packets that the kernel dropped because tcpdump was too slow. A capture with drops proves
   * nothing.
   */
  get lost(): number {
    return Number(/(\d+) packets? dropped by kernel/.exec(readFileSync(this.running.log, 'utf8'))?.[1] ?? 0);
  }
}
