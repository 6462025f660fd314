/** Finds the lab that a command line names. */
import { findLabs, type Lab } from '../lab/build/lab.js';
import { findTopology } from '../lab/topologies/index.js';
import { UserError } from './guard.js';

/** Finds a lab by its id, or by its topology if only one is up. Throws a UserError. */
export function findLab(name: string): Lab {
  const found = findLabs(name);
  if (found.length === 0) throw new UserError(`no lab ${name} is up; \`ulvs lab list\` shows what is`);
  if (found.length > 1)
    throw new UserError(
      `${found.length} labs of topology ${name} are up; name one: ${found.map(({ id }) => id).join(', ')}`,
    );
  return { ...found[0]!, spec: findTopology(found[0]!.topology) };
}
