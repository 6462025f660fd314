/**
 * A program of an outage lab in a namespace. It belongs to this process: it ends when its input
 * ends, and so when this process dies.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { LabError } from '../error.js';

export class Peer {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];
  private said = '';
  readonly ended: Promise<void>;

  constructor(
    private readonly what: string,
    namespace: string,
    words: readonly string[],
  ) {
    this.child = spawn('ip', ['netns', 'exec', namespace, process.execPath, ...words], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.said = `${this.said}${chunk}`.slice(-1000);
    });
    this.child.stdin!.on('error', () => {});
    this.lines = createInterface({ input: this.child.stdout! });
    this.lines.on('line', (line) => this.waiting.shift()?.(line));
    this.ended = new Promise((resolve) => {
      this.child.once('close', () => resolve());
    });
  }

  /** The next line. Rejects with a LabError when the program ends first. */
  async line(): Promise<string> {
    const line = new Promise<string>((resolve) => {
      this.waiting.push(resolve);
    });
    const over = this.ended.then(() => {
      throw new LabError(`${this.what} has ended: ${this.said.trim()}`);
    });
    return Promise.race([line, over]);
  }

  /** Sends a line and resolves with the answer. */
  ask(text: string): Promise<string> {
    const answer = this.line();
    this.child.stdin!.write(`${text}\n`);
    return answer;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<void> {
    this.child.kill('SIGCONT');
    this.child.stdin!.end();
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 2000);
    await this.ended;
    clearTimeout(timer);
  }
}
