#!/usr/bin/env node
/** The command `ulvs`: runs the command line. */
import { readFileSync } from 'node:fs';
import { exitCodeOf, strict } from './command-line.js';
import { guardOutput } from './output.js';
import { ulvsProgram } from './program.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

guardOutput();
try {
  await strict(ulvsProgram(version)).parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
