/**
 * A fault of the HOWTO that can be injected into a lab, and the finding by which the doctor reports
 * it.
 */
import { command } from '../../sys/command.js';
import type { Lab } from '../build/lab.js';
import { namespaceOf, program } from '../names.js';
import type { LabDevice } from '../topology.js';
import { type SmokeResult, smokeTest } from './smoke-test.js';

export interface Fault {
  readonly name: string;
  readonly title: string;
  /** The topology that shows it. */
  readonly topology: string;
  /** Further topologies that show it, over IPv6 for example. */
  readonly alsoIn?: readonly string[];
  readonly device?: LabDevice;
  /** The id of the finding. */
  readonly expects: string;
  readonly inject: (lab: Lab) => Promise<unknown>;
  /** A smoke test for this fault, instead of a few long requests; ok while the lab serves. */
  readonly serves?: (lab: Lab) => Promise<SmokeResult>;
  /** Why no smoke test can fail because of this fault. */
  readonly untestable?: string;
}

const PRELUDE = `set -e
ulvs() { ${process.execPath} ${program('cli/main.js')} "$@"; }
ulvsadm() { ${process.execPath} ${program('cli/ulvsadm.js')} "$@"; }
`;

/**
 * Runs a command line of a finding, in which ulvs and ulvsadm are this project's. Throws a
 * CommandError if it fails.
 */
export async function shell(words: string): Promise<string> {
  return (await command('sh', ['-c', PRELUDE + words])).stdout;
}

/** The topologies of a fault. */
export function topologiesOf({ topology, alsoIn = [] }: Fault): string[] {
  return [topology, ...alsoIn];
}

/** Runs a command line in the namespace of a host. Throws a CommandError if it fails. */
export function inside(lab: Lab, host: string, words: string): Promise<string> {
  return shell(`ip netns exec ${namespaceOf(lab.id, host)} ${words}`);
}

/** Loads these tables on a host, in nft's syntax. */
export function firewall(lab: Lab, host: string, tables: string): Promise<string> {
  return inside(lab, host, `nft -f - <<'END'\n${tables}\nEND`);
}

/** Runs the smoke test of the fault, or the one of all labs. */
export function runSmokeTest({ serves }: Fault, lab: Lab): Promise<SmokeResult> {
  return serves ? serves(lab) : smokeTest(lab);
}
