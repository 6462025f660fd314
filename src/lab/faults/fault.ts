/** A fault of the HOWTO that can be put into a lab, and the name the doctor has for it. */
import { command } from '../../sys/command.js';
import type { Lab } from '../build/lab.js';
import { namespaceOf, program } from '../names.js';
import type { LabDevice } from '../topology.js';
import { type Quick, quick } from './quick.js';

export interface Fault {
  readonly name: string;
  readonly title: string;
  /** The lab it is shown in. */
  readonly topology: string;
  /** More of them: the same in IPv6. */
  readonly also?: readonly string[];
  readonly device?: LabDevice;
  /** The finding's id. */
  readonly expects: string;
  readonly inject: (lab: Lab) => Promise<unknown>;
  /** Instead of a few long requests: true while all is well. */
  readonly works?: (lab: Lab) => Promise<Quick>;
  /** Why no quick check can fail by it. */
  readonly silent?: string;
}

const PRELUDE = `set -e
ulvs() { ${process.execPath} ${program('cli/main.js')} "$@"; }
ulvsadm() { ${process.execPath} ${program('cli/ulvsadm.js')} "$@"; }
`;

/** Runs a command as the doctor words it. LabError when it fails. */
export async function shell(words: string): Promise<string> {
  return (await command('sh', ['-c', PRELUDE + words])).stdout;
}

/** A fault in each of its topologies. */
export function placesOf({ topology, also = [] }: Fault): string[] {
  return [topology, ...also];
}

export function inside(lab: Lab, host: string, words: string): Promise<string> {
  return shell(`ip netns exec ${namespaceOf(lab.id, host)} ${words}`);
}

/** Gives a host these tables, in nft's words. */
export function firewall(lab: Lab, host: string, tables: string): Promise<string> {
  return inside(lab, host, `nft -f - <<'END'\n${tables}\nEND`);
}

export function check({ works }: Fault, lab: Lab): Promise<Quick> {
  return works ? works(lab) : quick(lab);
}
