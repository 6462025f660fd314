import { LabError } from '../error.js';
import { drFaults } from './dr.js';
import type { Fault } from './fault.js';
import { markFaults } from './mark.js';
import { natFaults } from './nat.js';
import { tunFaults } from './tun.js';
import { wireFaults } from './wire.js';

/** A new fault is one entry in a theme's file. */
export const faults: readonly Fault[] = [...natFaults, ...drFaults, ...tunFaults, ...markFaults, ...wireFaults];

/** LabError with all names for one that is none. */
export function findFault(name: string): Fault {
  const found = faults.find((fault) => fault.name === name);
  if (!found)
    throw new LabError(`no fault is named "${name}"; there are ${faults.map((fault) => fault.name).join(', ')}`);
  return found;
}
