/**
 * The successor of a running director: this program again, from the file that is there now, with
 * the same arguments and `--takeover`. It is started by the director itself, so that a service
 * manager finds it in the same service; when it forwards, it is the service's main process.
 *
 *     SIGUSR2 ─► director ─ starts ─► successor ─ takes over ─► MAINPID=, the director ends
 *                    ▲                    └─ cannot, or dies
 *                    └────── goes on ◄────────┘
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Logger } from 'pino';
import { withPrivileges } from './privileges.js';

const TAKEOVER = '--takeover';
/** A new process begins with what is there; it does not forget it, nor wait for another watchdog. */
const NOT_FOR_IT = [TAKEOVER, '--fresh'];

/** Starts the successor of this process. */
export class SuccessorStart {
  private child: ChildProcess | undefined;

  constructor(private readonly log: Pick<Logger, 'info' | 'error'>) {}

  /** One at a time: while one is being started, another request has no effect. */
  begin(): void {
    if (this.child !== undefined) return;
    const words = process.argv.slice(1).filter((word) => !NOT_FOR_IT.includes(word));
    // The watchdog asks the main process, which the new one becomes.
    const { WATCHDOG_PID: _, ...env } = process.env;
    this.log.info('starts its successor');
    const child = withPrivileges(() =>
      spawn(process.execPath, [...process.execArgv, ...words, TAKEOVER], { env, stdio: 'inherit', detached: true }),
    );
    this.child = child;
    child.once('error', ({ message }) => this.ended(message));
    child.once('exit', (code, signal) => this.ended(signal ?? `exit code ${code}`));
    child.unref();
  }

  private ended(why: string): void {
    this.child = undefined;
    this.log.error(`the successor has ended: ${why}; this director goes on`);
  }
}
