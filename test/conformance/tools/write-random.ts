/**
 * Writes the random scenarios of COUNT seeds, from FIRST on, into DIR/random/random-SEED.
 * test/conformance/tools/generate uses it.
 *
 *     test/conformance/tools/run write-random DIR FIRST COUNT
 */
import { sceneOf } from '../scenarios/random/wide.js';
import { save } from '../scenarios/stage.js';
import { refuse } from './refuse.js';

const [dir, ...numbers] = process.argv.slice(2);
const [first, count] = numbers.map(Number);
if (dir === undefined || !Number.isSafeInteger(first) || !Number.isSafeInteger(count))
  refuse('usage: write-random DIR FIRST COUNT');
for (let seed = first!; seed < first! + count!; seed++) save(dir, sceneOf(seed));
