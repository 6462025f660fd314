#!/usr/bin/env node
/** The command `ulvs`: runs the command line. */
import type { Command } from 'commander';
import { version } from '../control/api/version.js';
import { assembled } from './assemble.js';
import { exitCodeOf, strict } from './command-line.js';
import { runCommand } from './commands/run.js';
import { guardOutput } from './output.js';

guardOutput();
try {
  await strict(await program()).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** A director that was killed must be back soon: `run` does not load what the other commands need. */
async function program(): Promise<Command> {
  if (process.argv[2] === 'run') return assembled(version(), [runCommand(version())]);
  const { ulvsProgram } = await import('./program.js');
  return ulvsProgram(version());
}
