/**
 * Writes the scenarios of all scenes, or of the named ones: setup.sh, director.yaml and
 * frames.jsonl in DIR/SUBJECT/NAME. `make record` then adds the kernel's answers (out.jsonl).
 *
 *     test/conformance/tools/run write DIR [NAME ...]
 */
import { schedulerScenes } from '../../schedulers/scenarios/scenes.js';
import { save as saveSchedulerScene } from '../../schedulers/scenarios/stage.js';
import { scenes } from '../scenarios/scenes.js';
import { save } from '../scenarios/stage.js';
import { refuse } from './refuse.js';

const [dir, ...names] = process.argv.slice(2);
if (dir === undefined) refuse('usage: write DIR [NAME ...]');
const known = [...scenes, ...schedulerScenes].map(({ name }) => name);
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) refuse(`write: no scene is called ${unknown.join(', ')}`);

const isWanted = ({ name }: { name: string }) => names.length === 0 || names.includes(name);
for (const scene of scenes.filter(isWanted)) save(dir, scene);
for (const scene of schedulerScenes.filter(isWanted)) saveSchedulerScene(dir, scene);
