#!/usr/bin/env node
/** The command `ulvs`: runs the command line. */
import type { Command } from 'commander';
import { version } from '../control/api/version.js';
import { exitCodeOf, strict } from './command-line.js';
import { newProgram } from './new-program.js';
import { guardOutput } from './output.js';
import { commandsFor } from './single.js';

/** With the commands that the line needs. */
async function program(version: string): Promise<Command> {
  const commands = await commandsFor(process.argv[2], version);
  if (commands !== undefined) return newProgram(version, commands);
  return (await import('./program.js')).ulvsProgram(version);
}

guardOutput();
try {
  await strict(await program(version())).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
