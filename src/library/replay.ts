/**
 * The entry point `ulvs/replay`: recorded frames through a director with a virtual clock, from
 * files. The commands are `ulvs replay DIR` and `ulvs replay --pcap FILE`.
 */
import { type PcapOptions, type PcapResult, replayPcap as pcap } from '../replay/pcap.js';
import { type Row, replayScenario as scenario } from '../replay/scenario.js';

export type { Capture, TimedFrame } from '../capture/frame.js';
export { readCapture } from '../capture/pcap.js';
export type { PcapOptions, PcapResult } from '../replay/pcap.js';
export type { CommandOut, FrameOut, Row } from '../replay/scenario.js';

/**
 * A scenario folder: director.yaml, frames.jsonl, optionally wire.json. Returns what left and what
 * the commands answered, in order, in the form of out.jsonl. Throws ConfigError, RuleLineError, or
 * an Error of one line that names the file.
 */
export function replayScenario(dir: string): Promise<Row[]> {
  return scenario(dir);
}

/**
 * A capture file (pcap or pcapng, Ethernet): its frames come in by one device, what leaves is
 * written to `out`, if named. Throws ConfigError, RuleLineError, or an Error of one line: a file
 * that is no capture, a device the configuration lacks.
 */
export function replayPcap(options: PcapOptions): Promise<PcapResult> {
  return pcap(options);
}
