import { Argument, Command } from 'commander';
import { PROC_NAMES, type ProcName, procText } from '../../proc/text.js';
import { guarded } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

/** `ulvs proc NAME`: the text the kernel's IPVS has in /proc/net, for programs that parse it. */
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
    // A reader that has seen enough (`| head`) is no error.
    process.stdout.once('error', () => resolve());
    process.stdout.write(text, () => resolve());
  });
}
