import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { InProcessDirector } from '../control/inprocess.js';
import { parseFilter } from '../control/tracefilter.js';
import { Trace } from '../dataplane/trace.js';
import { guarded, UserError } from './guard.js';
import { replayPcap } from './replay/pcap.js';
import { replayScenario } from './replay/scenario.js';
import { formatRecord } from './trace/format.js';

interface Options {
  config?: string;
  pcap?: string;
  if?: string;
  out?: string;
  trace?: string | true;
  drops?: boolean;
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
    .option('--trace [filter]', "also say on stderr what happened to each packet (a filter in tcpdump's words)")
    .option('--drops', 'with --trace: only packets that were dropped')
    .action((dir: string | undefined, options: Options) => guarded(() => replay(dir, options)));
}

async function replay(dir: string | undefined, options: Options): Promise<void> {
  if (options.pcap !== undefined) return pcap(options);
  if (dir === undefined) throw new UserError('replay: name a scenario folder, or a capture with --pcap, -c and --if');
  const rows = await replayScenario(
    dir,
    options.trace === undefined ? undefined : (director) => spy(director, options),
  );
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

function spy({ director }: InProcessDirector, { trace, drops }: Options): void {
  const filter = parseFilter(trace === true || trace === undefined ? '' : trace);
  const spec = { filter, dropsOnly: drops === true, count: Number.POSITIVE_INFINITY };
  director.trace = new Trace(director, spec, (record) => console.error(`${formatRecord(record)}\n`));
}
