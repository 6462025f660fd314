#!/usr/bin/env node
/** The command `ulvs`: runs the command line. */
import type { Command } from 'commander';
import { version } from '../control/api/version.js';
import { exitCodeOf, strict } from './command-line.js';
import { newProgram } from './new-program.js';
import { guardOutput } from './output.js';
import { singleCommand } from './single.js';

/** With one command, or with all. */
async function program(version: string): Promise<Command> {
  const single = await singleCommand(process.argv[2], version);
  if (single !== undefined) return newProgram(version, [single]);
  return (await import('./program.js')).ulvsProgram(version);
}

guardOutput();
try {
  await strict(await program(version())).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
