/** The version of this package. */
import { readFileSync } from 'node:fs';

const file = new URL('../../../package.json', import.meta.url);
let known: string | undefined;

/** Read when it is asked for the first time: a bundle may lie where there is no package.json. */
export function version(): string {
  known ??= (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  return known;
}
