/**
 * The generator on the client: `node generator.js OPTIONS`, SourceOptions as JSON. Prints `ready`,
 * then performs the task in each line of JSON on stdin and answers with a line of JSON. Ends at the
 * end of stdin.
 */
import { createInterface } from 'node:readline';
import { Source, type SourceOptions } from './source.js';

/**
 * A task: send at `rate` frames a second (0: as fast as possible) for `ms`. With `open`, send one
 * frame of each flow; `ms` is ignored.
 */
export interface Task {
  readonly open?: boolean;
  readonly rate: number;
  readonly ms: number;
}

export interface Done {
  readonly sent: number;
  readonly ms: number;
}

function perform(source: Source, { open, rate, ms }: Task): Done {
  if (!open) return source.run(rate, ms);
  source.open(rate);
  return { sent: source.flows, ms: 0 };
}

async function main(text = ''): Promise<void> {
  const source = new Source(JSON.parse(text) as SourceOptions);
  process.on('SIGALRM', () => {}); // its only purpose is to interrupt the system call
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(perform(source, JSON.parse(line) as Task)));
  source.close();
}

process.on('SIGINT', () => {}); // Ctrl-C reaches the whole process group; the parent decides
main(process.argv[2]).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
