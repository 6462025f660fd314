/** What is wrong with a lab, or with what was asked of one. The message is one line. */
import { CommandError } from '../sys/command.js';

/** A kind of CommandError, so that who reports the failure of a tool reports this in the same way. */
export class LabError extends CommandError {
  override readonly name = 'LabError';
}
