/**
 * Compares the kernel map with net/netfilter/ipvs of a kernel tree: `node
 * build/tools/docs/kernel-map/compare.js LINUX`. Prints the functions that the map lacks and those
 * that the kernel lacks. The exit code is 1 when there are any.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { IPVS } from './index.js';

/** Macros that look like functions. */
const MACROS = ['module_init', 'module_exit', 'module_param_named', 'module_param_array'];

/**
 * Names of the functions that a C file of the kernel defines. Their `{` stands at the start of a
 * line.
 */
function definedIn(text: string): Set<string> {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '');
  const found = [...code.matchAll(/^(?:[A-Za-z_][^\n;{}=#(]*[\s*])?(\w+)\([^;{}]*?\)[^;{}()]*\n\{/gm)];
  return new Set(found.map((match) => match[1]!).filter((name) => !MACROS.includes(name)));
}

const tree = process.argv[2];
if (tree === undefined) throw new Error('name the folder of a kernel source tree');
let defined = 0;
for (const { file, rows } of IPVS) {
  const kernel = definedIn(readFileSync(path.join(tree, file), 'utf8'));
  const mapped = new Set(rows.flatMap((row) => row.kernel));
  defined += kernel.size;
  const wrong = [
    ...[...kernel].filter((name) => !mapped.has(name)).map((name) => `${file}: ${name} is not in the map`),
    ...[...mapped].filter((name) => !kernel.has(name)).map((name) => `${file}: the kernel has no ${name}`),
  ];
  for (const line of wrong) console.log(line);
  if (wrong.length > 0) process.exitCode = 1;
}
console.log(`${defined} functions in ${IPVS.length} files of ${tree}`);
