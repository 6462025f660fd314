/** Writes frames.jsonl, setup.sh and director.yaml of the stage's scenes: `npx esbuild --bundle ... | node - DIR [NAME ...]`. */
import { fragmentScenes } from '../fragments.js';
import { icmpScenes } from '../icmp.js';
import { tunnelScenes } from '../icmp-tunnel.js';
import { save } from '../stage.js';

const [dir = '.', ...names] = process.argv.slice(2);
for (const scene of [...icmpScenes, ...tunnelScenes, ...fragmentScenes])
  if (names.length === 0 || names.includes(scene.name)) save(dir, scene);
