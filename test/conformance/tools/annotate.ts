/**
 * Adds a description (`is`, after `hex`) to each frame in frames.jsonl and out.jsonl, in place, in
 * the named folders and below. `make record` runs it for files that the oracle or a Python script
 * wrote.
 *
 *     test/conformance/tools/run annotate PATH ...
 */
import { annotateFiles } from '../../support/annotate.js';
import { refuse } from './refuse.js';

const paths = process.argv.slice(2);
if (paths.length === 0) refuse('usage: annotate PATH ...');
for (const file of annotateFiles(paths)) console.log(`annotated ${file}`);
