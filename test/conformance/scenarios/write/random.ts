/** Writes random scenarios: `… DIR FIRST COUNT`. */

import { sceneOf } from '../random/wide.js';
import { save } from '../stage.js';

const [dir = '.', first = '1', count = '1'] = process.argv.slice(2);
for (let seed = Number(first); seed < Number(first) + Number(count); seed++) save(dir, sceneOf(seed));
