/** Writes random scenarios: `… DIR FIRST COUNT`. */
import { randomScene } from './random.js';
import { save } from './stage.js';
import { FIRST_WIDE, wideScene } from './wide.js';

const [dir = '.', first = '1', count = '1'] = process.argv.slice(2);
for (let seed = Number(first); seed < Number(first) + Number(count); seed++)
  save(dir, seed < FIRST_WIDE ? randomScene(seed) : wideScene(seed));
