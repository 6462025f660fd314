import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { guarded, UserError } from './guard.js';
import { replayPcap } from './replay/pcap.js';
import { replayScenario } from './replay/scenario.js';

interface Options {
  config?: string;
  pcap?: string;
  if?: string;
  out?: string;
}

/** `ulvs replay`: a scenario folder or a capture through the director, with a virtual clock, without root. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('run a scenario folder, or a capture file, through the director with a virtual clock')
    .argument('[dir]', 'scenario folder: director.yaml, frames.jsonl, optionally wire.json')
    .option('-c, --config <file>', 'director.yaml, with --pcap')
    .option('--pcap <file>', 'frames that come in, instead of a scenario (pcap or pcapng)')
    .option('--if <device>', 'the device they come in by')
    .option('--out <file>', 'where the answer goes: the form of out.jsonl (default stdout), or pcap with --pcap')
    .action((dir: string | undefined, options: Options) => guarded(() => replay(dir, options)));
}

async function replay(dir: string | undefined, options: Options): Promise<void> {
  if (options.pcap !== undefined) return pcap(options);
  if (dir === undefined) throw new UserError('replay: name a scenario folder, or a capture with --pcap, -c and --if');
  const rows = await replayScenario(dir);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
}

async function pcap({ config, pcap, if: device, out }: Options): Promise<void> {
  if (config === undefined || device === undefined || pcap === undefined)
    throw new UserError('replay --pcap needs -c director.yaml and --if DEVICE');
  const { warnings, summary } = await replayPcap({ config, pcap, device, ...(out === undefined ? {} : { out }) });
  for (const warning of warnings) console.error(warning);
  console.error(summary);
}
