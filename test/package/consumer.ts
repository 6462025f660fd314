/** Uses every export as a stranger's project would; package.test.ts type-checks it against the installed package. */
import {
  type Config,
  ConfigError,
  type ConnectionEntry,
  type Counts,
  createDirector,
  type Director,
  DROP_REASONS,
  type DropReason,
  loadConfig,
  type Outcome,
  parseConfig,
  RuleLineError,
  type SentFrame,
  type TraceStep,
  type Verdict,
} from 'ulvs';
import { type Capture, type PcapResult, type Row, readCapture, replayPcap, replayScenario } from 'ulvs/replay';
import { address, arp, type Decoded, ethernet, ipv4, isBad, printFrame, tcp, viewOf } from 'ulvs/wire';

export async function start(text: string): Promise<Director | string> {
  try {
    const config: Config = text === '' ? loadConfig('director.yaml') : parseConfig(text, 'text');
    return await createDirector(config, 1000);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.join('\n');
    if (error instanceof RuleLineError) return error.message;
    throw error;
  }
}

export function push(director: Director, frames: readonly Uint8Array[]): Map<Verdict | DropReason, number> {
  const ends = new Map<Verdict | DropReason, number>();
  for (const frame of frames) {
    const { verdict, drop, sent, steps }: Outcome = director.receive('eth0', frame, director.now + 1);
    const end = drop ?? verdict;
    ends.set(end, (ends.get(end) ?? 0) + 1);
    for (const step of steps) console.log(words(step));
    for (const one of sent) console.log(answerOf(one), drop === undefined ? '' : DROP_REASONS.get(drop));
  }
  return ends;
}

function words(step: TraceStep): string {
  return step.step === 'chosen' ? `${step.scheduler} chose ${step.dest}` : step.step;
}

function answerOf({ device, bytes }: SentFrame): string {
  const frame: Decoded<ethernet.Ethernet> = ethernet.decode(bytes);
  if (isBad(frame)) return frame;
  if (frame.type === ethernet.TYPE_ARP) return `${device}: ARP ${arp.operation(viewOf(frame.payload), 0)}`;
  const packet = ipv4.decode(frame.payload);
  if (isBad(packet) || packet.protocol !== ipv4.TCP) return printFrame(bytes);
  const segment = tcp.decode(packet.payload);
  return isBad(segment) ? segment : `${address.format4(packet.dst)}:${segment.dport}`;
}

export function totals(director: Director): number {
  const { drops, dropped }: Counts = director.counts();
  const entries: readonly ConnectionEntry[] = director.connections();
  return (drops.noRoute ?? 0) + dropped + entries.length;
}

export async function files(): Promise<number> {
  const rows: Row[] = await replayScenario('scenario');
  const { summary }: PcapResult = await replayPcap({ config: 'director.yaml', pcap: 'in.pcap', device: 'eth0' });
  const { frames }: Capture = readCapture('in.pcap');
  return rows.length + summary.length + frames.length;
}
