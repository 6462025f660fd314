/** A user's mistake ends in one line on stderr and exit code 2 (1 for what failed while running); never in a stack trace. */
import { RefusedError } from '../control/api/ask.js';
import { ConfigError } from '../control/config/config.js';
import { RuleLineError } from '../control/config/rule-lines.js';
import { FilterError } from '../control/server/trace-filter.js';
import { DeviceError } from '../device/error.js';
import { SystemError } from '../sys/libc.js';

export class UserError extends Error {
  override readonly name = 'UserError';
}

const MISTAKES = [FilterError, UserError, RefusedError, ConfigError, RuleLineError, DeviceError];

export async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    process.exitCode = tell(error);
  }
}

function tell(error: unknown): number {
  if (!(error instanceof Error)) throw error;
  const isMistake = MISTAKES.some((kind) => error instanceof kind);
  const isOurs = isMistake || error instanceof SystemError || Object.getPrototypeOf(error) === Error.prototype;
  // A bug: its stack is the only thing that helps.
  if (!isOurs) throw error;
  for (const line of error.message.split('\n')) console.error(`ulvs: ${line}`);
  return isMistake ? 2 : 1;
}
