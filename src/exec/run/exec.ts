/**
 * `ulvs exec`: starts a command under the filter, with a supervisor that answers from a director.
 *
 *   supervisor's thread starts ─► this thread installs the filter ─► spawn: the command inherits it
 *   (unfiltered)                  (seccomp, for this thread only)
 *
 * The order matters. The thread that exists already stays free, and the thread that forks must have
 * the filter.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import * as libc from '../../sys/libc.js';
import { becomeSubreaper } from '../../sys/process.js';
import { canRespondWithFd, installFilter, type Listener, O_CLOEXEC } from '../../sys/seccomp.js';
import { ownArchitecture } from '../filter/numbers.js';
import { compile } from '../filter/program.js';
import { type Opens, rulesFor } from '../filter/rules.js';
import { type FromSupervisor, NO_LISTENER, type SupervisorData } from '../notify/messages.js';
import { RunningCommand, wordsFor } from './command.js';
import { CannotExec, explainSeccomp, TOO_OLD } from './refusals.js';

/** EX_TEMPFAIL of sysexits.h: the director is gone, and starting again may help. */
export const EXIT_DIRECTOR_GONE = 75;

export interface ExecOptions {
  /** Path of the control socket. */
  readonly socket: string;
  /** DirectorStatus.tableId. */
  readonly table: string;
  readonly opens: Opens;
  /** As of FilterOptions. */
  readonly netlink: boolean;
  /** As before Linux 5.19: signals may interrupt a call that the supervisor has received. */
  readonly interruptible: boolean;
  /** One line for the user. */
  readonly report: (line: string) => void;
}

/**
 * Runs a command to its end; resolves with the exit code. This thread is filtered from then on, and
 * its process must end. Rejects with a CannotExec.
 */
export async function execCommand(command: readonly string[], options: ExecOptions): Promise<number> {
  const words = wordsFor(command);
  const wake = libc.check(libc.eventfd(0, O_CLOEXEC), 'eventfd');
  const supervisor = await startSupervisor({ socket: options.socket, table: options.table, wake });
  try {
    becomeSubreaper();
    const { fd } = filterThisThread(options);
    return await supervise(new RunningCommand(words), supervisor, fd, options.report);
  } finally {
    await stopSupervisor(supervisor, wake);
  }
}

/** Resolves with the exit code. */
async function supervise(
  command: RunningCommand,
  supervisor: Worker,
  listener: number,
  report: ExecOptions['report'],
): Promise<number> {
  let isGone = false;
  supervisor.on('message', (message: FromSupervisor) => {
    if (message.kind === 'report') report(message.line);
    if (message.kind !== 'end') return;
    report(`${message.reason}; ending the command`);
    isGone = true;
    command.end();
  });
  supervisor.postMessage(listener);
  const code = await command.ended();
  return isGone ? EXIT_DIRECTOR_GONE : code;
}

/** Resolves when the thread runs. */
async function startSupervisor(data: SupervisorData): Promise<Worker> {
  const supervisor = new Worker(new URL('../notify/supervisor.js', import.meta.url), { workerData: data });
  await once(supervisor, 'message');
  return supervisor;
}

/** Ends its loop by `wake`, or its waiting for one. Its last messages come before. */
async function stopSupervisor(supervisor: Worker, wake: number): Promise<void> {
  const exited = once(supervisor, 'exit');
  libc.write(wake, new BigUint64Array([1n]) as unknown as Uint8Array, 8);
  supervisor.postMessage(NO_LISTENER);
  await exited;
}

/** Throws a CannotExec. */
function filterThisThread({ opens, netlink, interruptible }: ExecOptions): Listener {
  const rules = rulesFor({ opens, netlink, rawSockets: !mayOpenRawSockets() });
  try {
    const listener = installFilter(compile(rules, ownArchitecture()), !interruptible);
    if (canRespondWithFd(listener.fd)) return listener;
    libc.close(listener.fd);
    throw new CannotExec(TOO_OLD);
  } catch (error) {
    throw explainSeccomp(error);
  }
}

function mayOpenRawSockets(): boolean {
  const [AF_INET, SOCK_RAW, IPPROTO_RAW] = [2, 3, 255];
  const fd = libc.socket(AF_INET, SOCK_RAW | O_CLOEXEC, IPPROTO_RAW);
  if (fd >= 0) libc.close(fd);
  return fd >= 0;
}
