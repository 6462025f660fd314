#!/usr/bin/env node
/** The command `ulvsadm`: ipvsadm's command line for the director behind a control socket. */
import { fstatSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { SocketClient } from '../control/api/client.js';
import { takeOwnOptions } from '../ulvsadm/own-options.js';
import { type Result, ulvsadm } from '../ulvsadm/ulvsadm.js';
import { outputProblem } from './output.js';

/** By a link of this name (scripts/install.sh) it speaks as ipvsadm does. */
const NAME = path.basename(process.argv[1] ?? '', '.js') === 'ipvsadm' ? 'ipvsadm' : 'ulvsadm';

async function run(): Promise<Result> {
  const { argv, socket, json } = takeOwnOptions(process.argv.slice(2), process.env);
  const client = new SocketClient(socket);
  try {
    return await ulvsadm(argv, input, client, { json, program: NAME });
  } finally {
    client.close();
  }
}

/** All of the standard input. A file is there at once; through a stream it would come in pieces. */
function input(): Promise<string> | string {
  return fstatSync(0).isFile() ? readFileSync(0, 'utf8') : text(process.stdin);
}

/** Resolves with what went wrong; it is no error if the reader closes the output (`| head`). */
function print(stream: NodeJS.WriteStream, content: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve(outputProblem(error)));
    stream.write(content, (error) => resolve(error ? outputProblem(error) : undefined));
  });
}

const result = await run().catch((error: unknown): Result => {
  return { rc: 2, out: '', err: `ulvsadm: ${error instanceof Error ? error.message : String(error)}\n` };
});
await print(process.stderr, result.err);
const problem = await print(process.stdout, result.out);
if (problem !== undefined) await print(process.stderr, `ulvsadm: ${problem}\n`);
// A name lookup that is still pending must not delay the exit.
process.exit(problem === undefined ? result.rc : 1);
