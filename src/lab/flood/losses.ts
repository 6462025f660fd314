/**
 * Where frames of a flood were lost. The director's counters account for every frame:
 *
 *     sent ─ wire ─► device ─ ring full ─► director ─ dropped: reasons ─► device ─ not taken ─► wire ─► arrived
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../sys/command.js';
import { program } from '../names.js';

export interface Loss {
  readonly reason: string;
  readonly text: string;
  readonly frames: number;
}

interface DeviceCounts {
  readonly rxPackets: number;
  readonly rxDropped: number;
  readonly rxOversize: number;
  readonly txDropped: number;
}

/** The counters of `ulvs stats --json`. */
export interface DirectorCounters {
  readonly frames: Readonly<Record<string, number>>;
  readonly drops: readonly { readonly name: string; readonly text: string; readonly packets: number }[];
  readonly devices: readonly { readonly stats: DeviceCounts }[];
}

/** The director updates its device counters at this interval, in ms. */
const COUNTED_EVERY = 250;

/** Reads the counters of the director on `socket`, once it is idle. Throws a CommandError. */
export async function readCounters(socket: string): Promise<DirectorCounters> {
  await sleep(COUNTED_EVERY);
  const words = [program('cli/main.js'), 'stats', '--json', '--socket', socket];
  return JSON.parse((await command(process.execPath, words)).stdout) as DirectorCounters;
}

interface Balance {
  readonly sent: number;
  readonly arrived: number;
}

/** The losses between two readings: only reasons that occurred. Their sum is sent − arrived. */
export function lossesOf(before: DirectorCounters, after: DirectorCounters, { sent, arrived }: Balance): Loss[] {
  const device = (column: keyof DeviceCounts) => total(after, column) - total(before, column);
  const frames = (name: string) => (after.frames[name] ?? 0) - (before.frames[name] ?? 0);
  const full = device('rxDropped') + device('rxOversize');
  const known = [
    {
      reason: 'wire',
      text: 'the queue of the wire to the director was full',
      frames: sent - device('rxPackets') - full,
    },
    { reason: 'rxDropped', text: "the ring of the director's device was full", frames: full },
    ...dropped(before, after),
    { reason: 'delivered', text: 'answered by the director, or delivered to its host', frames: frames('delivered') },
    { reason: 'passed', text: "passed to the director's host", frames: frames('passed') },
    { reason: 'txDropped', text: 'the kernel did not accept them from the director', frames: device('txDropped') },
    {
      reason: 'behind',
      text: 'lost between the director and the realserver',
      frames: frames('forwarded') - device('txDropped') - arrived,
    },
  ];
  return known.filter(({ frames }) => frames !== 0);
}

function total({ devices }: DirectorCounters, column: keyof DeviceCounts): number {
  return devices.reduce((sum, { stats }) => sum + stats[column], 0);
}

function dropped(before: DirectorCounters, after: DirectorCounters): Loss[] {
  return after.drops.map(({ name, text, packets }) => {
    const old = before.drops.find((drop) => drop.name === name)?.packets ?? 0;
    return { reason: name, text, frames: packets - old };
  });
}
