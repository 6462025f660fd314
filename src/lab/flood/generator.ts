/**
 * The program on the client: `node generator.js OPTIONS`, SourceOptions as JSON. Says `ready`, then does what each line of
 * JSON on stdin asks and answers it with one. It ends when stdin does.
 */
import { createInterface } from 'node:readline';
import { Source, type SourceOptions } from './source.js';

/** `open`: one frame of each flow, ms is ignored. */
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
  process.on('SIGALRM', () => {}); // it only has to interrupt
  console.log('ready');
  for await (const line of createInterface({ input: process.stdin }))
    console.log(JSON.stringify(perform(source, JSON.parse(line) as Task)));
  source.close();
}

process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; who started us decides
main(process.argv[2]).catch((error: Error) => {
  console.error(error.message);
  process.exit(1);
});
