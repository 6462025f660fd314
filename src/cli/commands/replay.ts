/**
 * `ulvs replay`: runs a scenario folder or a capture through a director with a virtual clock,
 * without root.
 */
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import type { InProcessDirector } from '../../control/inprocess.js';
import { parseFilter } from '../../control/server/trace-filter.js';
import { Trace } from '../../dataplane/trace/trace.js';
import { replayPcap } from '../../replay/pcap.js';
import { replayScenario } from '../../replay/scenario.js';
import { formatRecord } from '../../trace/format.js';
import { Recorder } from '../console/recorder.js';
import { guarded, UserError } from '../guard.js';
import { quoting } from '../quoting.js';

interface Options {
  config?: string;
  pcap?: string;
  if?: string;
  out?: string;
  trace?: string | true;
  drops?: boolean;
  view?: string;
  filter?: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('run a scenario folder or a capture file through a director with a virtual clock')
    .argument('[dir]', 'scenario folder: director.yaml, frames.jsonl, optionally wire.json')
    .option('-c, --config <file>', 'the configuration, with --pcap')
    .option('--pcap <file>', 'received frames from a pcap or pcapng file, instead of a scenario')
    .option('--if <device>', 'the device that receives them, with --pcap')
    .option('--out <file>', 'output: lines of JSON as in out.jsonl (default: stdout), or a pcap file with --pcap')
    .option('--trace [filter]', "explain each packet on stderr; a filter in tcpdump's language, in quotes")
    .option('--drops', 'with --trace or --view: dropped packets only')
    .option('--view <file>', 'write one HTML file that shows each packet on its way; it opens without a server')
    .option('--filter <filter>', "with --view: these packets only, in tcpdump's language, in quotes")
    .action((dir: string | undefined, options: Options) => guarded(() => replay(dir, options)));
}

async function replay(dir: string | undefined, options: Options): Promise<void> {
  refuseSenseless(dir, options);
  const recorder = options.view === undefined ? undefined : new Recorder(options.filter ?? '', options.drops === true);
  const spy = (one: InProcessDirector) => {
    if (recorder !== undefined) recorder.attach(one);
    else if (options.trace !== undefined) trace(one, options);
  };
  await run(dir, options, spy);
  if (recorder === undefined) return;
  writeFileSync(options.view!, await recorder.page(`ulvs replay ${dir ?? options.pcap}`));
  console.error(`${options.view}: ${recorder.text}`);
}

async function run(dir: string | undefined, options: Options, spy: (director: InProcessDirector) => void) {
  if (options.pcap !== undefined) return pcap(options, spy);
  const rows = await replayScenario(dir!, spy);
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  if (options.out !== undefined) writeFileSync(options.out, text);
  else if (options.view === undefined) process.stdout.write(text);
}

/** Refuses options that would have no effect. Throws a UserError. */
function refuseSenseless(dir: string | undefined, options: Options): void {
  const { config, pcap, if: device, trace, drops, view, filter } = options;
  const word = typeof trace === 'string' ? trace : undefined;
  if (dir !== undefined && pcap !== undefined)
    throw new UserError(`replay: give a folder (${dir}) or a capture (--pcap ${pcap}), not both${quoting(word)}`);
  if (dir === undefined && pcap === undefined) {
    const taken = word === undefined ? '' : `; --trace took ${word} as its filter: name the folder before --trace`;
    throw new UserError(`replay: name a scenario folder, or a capture with --pcap, -c and --if${taken}`);
  }
  if (dir !== undefined && config !== undefined)
    throw new UserError(`replay: -c goes with --pcap; a scenario folder has its own director.yaml`);
  if (dir !== undefined && device !== undefined)
    throw new UserError('replay: --if goes with --pcap; in a scenario folder each frame has its device');
  if (view !== undefined && trace !== undefined)
    throw new UserError('replay: --view has the trace of each packet in it: give --trace or --view, not both');
  if (filter !== undefined && view === undefined) throw new UserError('replay: --filter goes with --view');
  if (drops && trace === undefined && view === undefined)
    throw new UserError('replay: --drops selects packets for --trace or --view: add one of them');
}

async function pcap(options: Options, spy: ((director: InProcessDirector) => void) | undefined): Promise<void> {
  const { config, pcap, if: device, out } = options;
  if (config === undefined || device === undefined || pcap === undefined)
    throw new UserError('replay --pcap needs -c director.yaml and --if DEVICE');
  const { warnings, summary } = await replayPcap({ config, pcap, device, ...(out === undefined ? {} : { out }) }, spy);
  for (const line of [...warnings, ...summary]) console.error(line);
}

function trace({ director }: InProcessDirector, { trace: words, drops }: Options): void {
  const filter = parseFilter(typeof words === 'string' ? words : '');
  const spec = { filter, dropsOnly: drops === true, count: Number.POSITIVE_INFINITY };
  director.trace = new Trace(director, spec, (record) => console.error(`${formatRecord(record)}\n`));
}
