/** The list of faults. */
import { LabError } from '../error.js';
import { drFaults } from './dr.js';
import type { Fault } from './fault.js';
import { markFaults } from './mark.js';
import { natFaults } from './nat.js';
import { tunFaults } from './tun.js';
import { wireFaults } from './wire.js';

/** A new fault is an entry in a file of its subject. */
export const faults: readonly Fault[] = [...natFaults, ...drFaults, ...tunFaults, ...markFaults, ...wireFaults];

/** Throws a LabError with all names if there is no fault of this name. */
export function findFault(name: string): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (!found)
    throw new LabError(`no fault is named "${name}"; there are ${faults.map((fault) => fault.name).join(', ')}`);
  return found;
}
