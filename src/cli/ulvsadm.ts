#!/usr/bin/env node
import { text } from 'node:stream/consumers';
import { SocketClient } from '../control/api/client.js';
import { takeOurs } from '../ulvsadm/own-options.js';
import { type Result, ulvsadm } from '../ulvsadm/ulvsadm.js';

/** The command `ulvsadm`: ipvsadm's command line for the director behind a control socket. */
async function run(): Promise<Result> {
  const { argv, socket, json } = takeOurs(process.argv.slice(2), process.env);
  const client = new SocketClient(socket);
  try {
    return await ulvsadm(argv, () => text(process.stdin), client, { json });
  } finally {
    client.close();
  }
}

function print(stream: NodeJS.WriteStream, content: string): Promise<void> {
  return new Promise((resolve) => {
    // A reader that has seen enough (`| head`) is no error.
    stream.once('error', () => resolve());
    stream.write(content, () => resolve());
  });
}

const result = await run().catch((error: unknown): Result => {
  return { rc: 2, out: '', err: `ulvsadm: ${error instanceof Error ? error.message : String(error)}\n` };
});
await print(process.stderr, result.err);
await print(process.stdout, result.out);
// A look-up that came too late must not keep the command waiting.
process.exit(result.rc);
