/**
 * The command under the filter: started, signalled, waited for.
 *
 *   signals to us ───► the command; after its end, the daemons that it left behind
 *   its exit code ───► ours; 128 + signal; 75 when the director is gone
 *   our death     ───► SIGTERM to the command (setpriv --pdeathsig)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import { inForeground, reapOrphans, signalAll } from './family.js';
import { findCommand } from './find-command.js';
import { CannotExec, NotStarted } from './refusals.js';

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;
const FROM_TERMINAL: readonly string[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];
const DEADLINE_MS = 10_000;
/** Period, in ms, of looking for the end of daemons; a signal for it may be lost. */
const LOOK_MS = 1000;

/** The words that start a command which dies with its parent. Throws a CannotExec. */
export function wordsFor(command: readonly string[]): string[] {
  const program = findCommand(command[0]!, process.env.PATH ?? '/usr/bin:/bin');
  const setpriv = SETPRIV.find((file) => existsSync(file));
  if (setpriv === undefined)
    throw new CannotExec(
      'exec: /usr/bin/setpriv is missing: install util-linux, so that the command ends with ulvs exec',
    );
  return [setpriv, '--pdeathsig', 'TERM', '--', program, ...command.slice(1)];
}

export class RunningCommand {
  private readonly child: ChildProcess;
  /** Its exit code as a shell has it. */
  readonly code: Promise<number>;
  private hasEnded = false;

  constructor(words: readonly string[]) {
    this.child = spawn(words[0]!, words.slice(1), { stdio: 'inherit' });
    this.code = new Promise((resolve, reject) => {
      this.child.once('error', (error) => reject(new NotStarted(`exec: ${error.message}`, 126)));
      this.child.once('exit', (code, signal) => {
        this.hasEnded = true;
        resolve(code ?? 128 + os.constants.signals[signal!]);
      });
    });
    for (const signal of FORWARDED) process.on(signal, () => this.forward(signal));
    process.on('SIGCHLD', this.reap);
  }

  private readonly reap = (): void => void reapOrphans(this.child.pid);

  private forward(signal: NodeJS.Signals): void {
    if (FROM_TERMINAL.includes(signal) && inForeground()) return;
    this.signal(signal);
  }

  signal(signal: NodeJS.Signals): void {
    if (this.hasEnded) signalAll(reapOrphans(undefined), signal);
    else this.child.kill(signal);
  }

  /** Ends the command: SIGTERM, and SIGKILL if it has not ended after 10 s. */
  end(): void {
    this.signal('SIGTERM');
    setTimeout(() => this.signal('SIGKILL'), DEADLINE_MS).unref();
  }

  /** Resolves with the exit code when the command and all that it left behind have ended. */
  async ended(): Promise<number> {
    const code = await this.code;
    while (reapOrphans(undefined).length > 0) await childEnds();
    process.off('SIGCHLD', this.reap); // without a supervisor it could open no file any more
    return code;
  }
}

function childEnds(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, LOOK_MS);
    process.once('SIGCHLD', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
