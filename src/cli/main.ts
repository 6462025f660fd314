#!/usr/bin/env node
/** The command `ulvs`: runs the command line. */
import { version } from '../control/api/version.js';
import { exitCodeOf, strict } from './command-line.js';
import { guardOutput } from './output.js';
import { ulvsProgram } from './program.js';

guardOutput();
try {
  await strict(await ulvsProgram(version(), process.argv[2])).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
