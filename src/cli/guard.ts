/**
 * Turns errors into one line on stderr and an exit code: 2 for a user's mistake, 1 for a failure
 * while running. A stack trace is printed for bugs only.
 */
import { RefusedError } from '../control/api/ask.js';
import { ConfigError } from '../control/config/config-error.js';
import { RuleLineError } from '../control/config/rule-lines.js';
import { FilterError } from '../control/server/trace-filter.js';
import { DeviceError } from '../device/error.js';
import { SystemError } from '../sys/libc.js';

/** A mistake of the user; the message names it and what would be right. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

const MISTAKES = [FilterError, UserError, RefusedError, ConfigError, RuleLineError, DeviceError];

/** Runs a command; on an error sets the exit code. */
export async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // First: the report may go to a full disk.
    process.exitCode = 1;
    process.exitCode = report(error);
  }
}

function report(error: unknown): number {
  if (!(error instanceof Error)) return report(new TypeError(String(error)));
  const isMistake = MISTAKES.some((kind) => error instanceof kind);
  const isOurs = isMistake || error instanceof SystemError || Object.getPrototypeOf(error) === Error.prototype;
  // A bug: only its stack trace helps.
  if (!isOurs) {
    console.error(error.stack);
    return 1;
  }
  for (const line of error.message.split('\n')) console.error(`ulvs: ${line}`);
  return isMistake ? 2 : 1;
}
