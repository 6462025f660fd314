/** As write.ts, of the scenes about the persistence engine sip. */
import { sipScenes } from './sip.js';
import { save } from './stage.js';

const [dir = '.', ...names] = process.argv.slice(2);
for (const scene of sipScenes) if (names.length === 0 || names.includes(scene.name)) save(dir, scene);
