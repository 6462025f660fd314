/** As write.ts, of the scenes about states, lives, persistence, methods and the rest. */
import { foundScenes } from '../found.js';
import { foundWideScenes } from '../found-wide.js';
import { lifeScenes } from '../life.js';
import { methodScenes } from '../methods.js';
import { oddScenes } from '../odds.js';
import { persistenceScenes } from '../persistence.js';
import { save } from '../stage.js';
import { stateScenes } from '../states.js';

const [dir = '.', ...names] = process.argv.slice(2);
for (const scene of [
  ...stateScenes,
  ...lifeScenes,
  ...persistenceScenes,
  ...methodScenes,
  ...oddScenes,
  ...foundScenes,
  ...foundWideScenes,
])
  if (names.length === 0 || names.includes(scene.name)) save(dir, scene);
