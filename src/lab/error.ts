/**
 * The error of a lab: what is wrong with it, or with the request for one. The message is one line.
 */
import { CommandError } from '../sys/command.js';

/** A CommandError, so that a failed lab is reported in the same way as a failed tool. */
export class LabError extends CommandError {
  override readonly name = 'LabError';
}
