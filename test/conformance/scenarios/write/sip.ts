/** As write.ts, of the scenes about the persistence engine sip, and of those that random scenarios led to. */
import { foundFirstScenes } from '../found-first.js';
import { sipScenes } from '../sip.js';
import { save } from '../stage.js';

const [dir = '.', ...names] = process.argv.slice(2);
for (const scene of [...sipScenes, ...foundFirstScenes])
  if (names.length === 0 || names.includes(scene.name)) save(dir, scene);
