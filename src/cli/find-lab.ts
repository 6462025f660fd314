import { type Lab, matching } from '../lab/build/lab.js';
import { findTopology } from '../lab/topologies/index.js';
import { UserError } from './guard.js';

/** By id, or by the name of a topology that is up once. */
export function findLab(name: string): Lab {
  const found = matching(name);
  if (found.length === 0) throw new UserError(`no lab ${name} is up; \`ulvs lab list\` shows what is`);
  if (found.length > 1)
    throw new UserError(`${found.length} labs of ${name} are up; say which: ${found.map(({ id }) => id).join(', ')}`);
  return { ...found[0]!, spec: findTopology(found[0]!.topology) };
}
