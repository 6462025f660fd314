/**
 * `ulvs proc NAME`: the text that the kernel's IPVS has in /proc/net, for programs that parse it.
 */
import { Argument, Command } from 'commander';
import { PROC_NAMES, type ProcName, procText } from '../../proc/text.js';
import { guarded } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

export function procCommand(): Command {
  return new Command('proc')
    .description("print what the kernel's IPVS would have in /proc/net/NAME")
    .addArgument(new Argument('<name>').choices(PROC_NAMES))
    .addOption(socketOption())
    .action((name: ProcName, { socket }: { socket: string }) => guarded(() => print(name, socket)));
}

async function print(name: ProcName, socket: string): Promise<void> {
  const text = await withDirector(socket, (client) => procText(name, client));
  await new Promise<void>((resolve) => {
    // It is no error if the reader closes the output (`| head`).
    process.stdout.once('error', () => resolve());
    process.stdout.write(text, () => resolve());
  });
}
