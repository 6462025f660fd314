/**
 * Where frames of a flood were lost. What a director counts closes the account:
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

/** Of `ulvs stats --json`. */
export interface Account {
  readonly fates: Readonly<Record<string, number>>;
  readonly drops: readonly { readonly name: string; readonly text: string; readonly packets: number }[];
  readonly devices: readonly { readonly stats: DeviceCounts }[];
}

/** The director writes what its devices count this often, in ms. */
const COUNTED_EVERY = 250;

/** What the director on `socket` has counted, when it has nothing to do. */
export async function accountOf(socket: string): Promise<Account> {
  await sleep(COUNTED_EVERY);
  const words = [program('cli/main.js'), 'stats', '--json', '--socket', socket];
  return JSON.parse((await command(process.execPath, words)).stdout) as Account;
}

interface Balance {
  readonly sent: number;
  readonly arrived: number;
}

/** What became of the frames that did not arrive: only reasons that occurred, and their sum is sent − arrived. */
export function lossesOf(before: Account, after: Account, { sent, arrived }: Balance): Loss[] {
  const device = (column: keyof DeviceCounts) => total(after, column) - total(before, column);
  const fate = (name: string) => (after.fates[name] ?? 0) - (before.fates[name] ?? 0);
  const full = device('rxDropped') + device('rxOversize');
  const known = [
    {
      reason: 'wire',
      text: "the wire's queue before the director was full",
      frames: sent - device('rxPackets') - full,
    },
    { reason: 'rxDropped', text: "the ring of the director's device was full", frames: full },
    ...dropped(before, after),
    { reason: 'delivered', text: 'answered by the director, or given to its host', frames: fate('delivered') },
    { reason: 'passed', text: "left to the director's host", frames: fate('passed') },
    { reason: 'txDropped', text: 'the kernel did not take them from the director', frames: device('txDropped') },
    {
      reason: 'behind',
      text: 'on the way from the director to the realserver',
      frames: fate('forwarded') - device('txDropped') - arrived,
    },
  ];
  return known.filter(({ frames }) => frames !== 0);
}

function total({ devices }: Account, column: keyof DeviceCounts): number {
  return devices.reduce((sum, { stats }) => sum + stats[column], 0);
}

function dropped(before: Account, after: Account): Loss[] {
  return after.drops.map(({ name, text, packets }) => {
    const old = before.drops.find((drop) => drop.name === name)?.packets ?? 0;
    return { reason: name, text, frames: packets - old };
  });
}
