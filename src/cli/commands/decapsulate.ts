/** `ulvs decapsulate`: the tunnel end of an LVS-Tun realserver whose kernel has none. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { openHostTun } from '../../device/tun/host.js';
import { TUNNEL_TYPES, type TunnelType } from '../../device/tun/inner-packet.js';
import { TunDevice } from '../../device/tun/tap.js';
import { GUE_PORT, TunnelEndpoint, type TunnelOptions } from '../../device/tun/tunnel-endpoint.js';
import { Umem } from '../../device/umem.js';
import { guarded } from '../guard.js';

interface Options extends TunnelOptions {
  readonly name: string;
}

/** One packet at a time is in flight; a kernel may have merged several (GRO). */
const FRAMES = 4;
const FRAME_SIZE = 128 * 1024;

export function decapsulateCommand(): Command {
  return new Command('decapsulate')
    .description(
      'on an LVS-Tun realserver whose kernel has no tunnel: give the packets inside to its own stack, by a TUN',
    )
    .option('--name <interface>', 'the TUN that is created', 'ulvs-tun%d')
    .addOption(
      new Option('--types <types>', 'the tunnels, separated by commas; one that the kernel has must not be among them')
        .argParser(typesOf)
        .default([...TUNNEL_TYPES], TUNNEL_TYPES.join(',')),
    )
    .addOption(new Option('--gue-port <port>', 'the UDP port of GUE').argParser(portOf).default(GUE_PORT))
    .action((options: Options) => guarded(() => decapsulate(options)));
}

function typesOf(text: string): TunnelType[] {
  return text.split(',').map((word) => {
    const type = TUNNEL_TYPES.find((one) => one === word);
    if (type === undefined) throw new InvalidArgumentError(`Use ${TUNNEL_TYPES.join(', ')}.`);
    return type;
  });
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 0xffff) throw new InvalidArgumentError('A port from 1 to 65535.');
  return port;
}

/** Resolves at SIGTERM or SIGINT. */
async function decapsulate({ name, ...options }: Options): Promise<void> {
  const { tun, warnings } = openHostTun(name);
  for (const warning of warnings) console.error(`ulvs: warning: ${warning}`);
  const umem = new Umem(FRAMES, FRAME_SIZE);
  const endpoint = new TunnelEndpoint(umem, new TunDevice(umem, tun), options);
  try {
    await endpoint.bound;
    console.log(`ready: ${options.types.join(', ')} by ${tun.name}`);
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
    });
    console.log(endText(endpoint));
  } finally {
    endpoint.close();
  }
}

function endText({ stats: { packets, bytes, malformed, dropped } }: TunnelEndpoint): string {
  return `${packets} packets, ${bytes} bytes; ${malformed} malformed, ${dropped} dropped`;
}
