/**
 * Puts words behind each frame (`is` behind `hex`) in the frames.jsonl and out.jsonl of folders and below, in place. For files
 * that the oracle or a Python script wrote; `make record` runs it.
 *
 *     test/conformance/tools/run annotate PATH ...
 */
import { annotateFiles } from '../../support/annotate.js';
import { refuse } from './refuse.js';

const paths = process.argv.slice(2);
if (paths.length === 0) refuse('usage: annotate PATH ...');
for (const file of annotateFiles(paths)) console.log(`annotated ${file}`);
