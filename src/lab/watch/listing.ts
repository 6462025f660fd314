/** Reads back ulvsadm's listings of a lab's director: their text is what users see. */

import { command } from '../../sys/command.js';
import { socketPath } from '../build/config.js';
import { program } from '../names.js';

export interface Row {
  /** `TCP 10.0.0.100:80`, `FWM 1`. */
  readonly service: string;
  /** `192.168.1.11:8080`. */
  readonly destination: string;
  readonly conns: number;
  readonly inpkts: number;
  readonly outpkts: number;
  readonly inbytes: number;
  readonly outbytes: number;
}

export interface ConnectionRow {
  readonly protocol: string;
  readonly state: string;
  readonly source: string;
  readonly virtual: string;
  readonly destination: string;
}

/** Runs ulvsadm on the director of a lab and returns its output. Throws a CommandError. */
export async function ulvsadm(id: string, ...words: readonly string[]): Promise<string> {
  return (await command(process.execPath, [program('cli/ulvsadm.js'), ...words, '--socket', socketPath(id)])).stdout;
}

/** The destinations of `-Ln --stats --exact`. */
export function readStats(text: string): Row[] {
  const rows: Row[] = [];
  let service = '';
  for (const words of text.split('\n').map((line) => line.trim().split(/\s+/))) {
    if (/^(TCP|UDP|SCTP|FWM)$/.test(words[0]!)) service = `${words[0]} ${words[1]}`;
    if (words[0] !== '->' || Number.isNaN(Number(words[2]))) continue;
    const [conns, inpkts, outpkts, inbytes, outbytes] = words.slice(-5).map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    rows.push({ service, destination: words[1]!, conns, inpkts, outpkts, inbytes, outbytes });
  }
  return rows;
}

/** The rows of `-Lnc`. */
export function readConnections(text: string): ConnectionRow[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((words) => /^(TCP|UDP|SCTP)$/.test(words[0]!) && words.length >= 6)
    .map(([protocol, , state, source, virtual, destination]) => ({
      protocol: protocol!,
      state: state!,
      source: source!,
      virtual: virtual!,
      destination: destination!,
    }));
}
