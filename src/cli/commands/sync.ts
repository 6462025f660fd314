/** `ulvs sync dump`: the synchronisation messages of a group in words, live or from a capture. */
import { Command, InvalidArgumentError } from 'commander';
import { readCapture } from '../../capture/pcap.js';
import { daemonOf } from '../../control/sync/daemon.js';
import { datagramOf } from '../../control/sync/frames.js';
import { UdpNet } from '../../control/sync/udp.js';
import { GROUP, PORT } from '../../wire/sync.js';
import { guarded, UserError } from '../guard.js';
import { interruptible } from '../interruptible.js';
import { type MessageWords, messageText, messageWords } from '../sync/words.js';

interface Options {
  interface?: string;
  pcap?: string;
  group: string;
  port: number;
  count?: number;
  json?: boolean;
}

export function syncCommand(): Command {
  return new Command('sync').description('tools for connection synchronisation').addCommand(
    new Command('dump')
      .description('print the messages of a group in words, as they come or from a capture')
      .option('--interface <name>', 'listen to the group on this interface')
      .option('--pcap <file>', 'read a pcap or pcapng file instead')
      .option('--group <address>', 'the group', GROUP)
      .option('--port <number>', 'the UDP port', whole, PORT)
      .option('--count <number>', 'end after this many messages', whole)
      .option('--json', 'print each message as a line of JSON')
      .action((options: Options) => guarded(() => dump(options))),
  );
}

function whole(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('a whole number above 0 is meant.');
  return Number(text);
}

async function dump(options: Options): Promise<void> {
  if ((options.interface === undefined) === (options.pcap === undefined))
    throw new UserError('sync dump: name either --interface or --pcap');
  if (options.pcap !== undefined) dumpCapture(options.pcap, options);
  else
    await interruptible(
      (reason) => new Error(reason),
      (signal) => listen(options.interface!, options, signal),
    );
}

function print(message: MessageWords, { json }: Options): void {
  console.log(json ? JSON.stringify(message) : messageText(message));
}

function dumpCapture(file: string, options: Options): void {
  const { frames, warnings } = readCapture(file);
  for (const warning of warnings) console.error(warning);
  const found = frames.flatMap(({ bytes }) => {
    const datagram = datagramOf(bytes);
    return datagram?.to === options.group && datagram.port === options.port ? [datagram] : [];
  });
  for (const { bytes, from } of found.slice(0, options.count)) print(messageWords(bytes, from), options);
}

async function listen(name: string, options: Options, signal: AbortSignal): Promise<void> {
  const net = new UdpNet((message) => console.error(message));
  const mtu = net.mtu(name);
  if (mtu === undefined) throw new UserError(`sync dump: there is no interface ${name}`);
  const daemon = daemonOf('backup', { interface: name, syncid: 0, group: options.group, port: options.port }, mtu);
  let left = options.count ?? Number.POSITIVE_INFINITY;
  await new Promise<void>((resolve) => {
    const sockets = net.receiver(daemon, 1, { socketSize: 0, queue: 1 }, (bytes, from) => {
      if (left-- > 0) print(messageWords(bytes, from), options);
      if (left <= 0) end();
    });
    const end = () => {
      sockets.close();
      resolve();
    };
    signal.addEventListener('abort', end);
  });
}
