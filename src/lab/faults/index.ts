/** The list of faults. */
import { LabError } from '../error.js';
import { drFaults } from './dr.js';
import { type Fault, topologiesOf } from './fault.js';
import { markFaults } from './mark.js';
import { natFaults } from './nat.js';
import { tunFaults } from './tun.js';
import { wireFaults } from './wire.js';

/** A new fault is an entry in a file of its subject. */
export const faults: readonly Fault[] = [...natFaults, ...drFaults, ...tunFaults, ...markFaults, ...wireFaults];

/** Faults that a lab of the topology can have. */
export function faultsOf(topology: string): Fault[] {
  return faults.filter((fault) => topologiesOf(fault).includes(topology));
}

/** Throws a LabError with the names of `possible` if there is no fault of this name. */
export function findFault(name: string, possible: readonly Fault[] = faults): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (!found)
    throw new LabError(`no fault is named "${name}"; there are ${possible.map((fault) => fault.name).join(', ')}`);
  return found;
}
