/**
 * `make docs`: writes the generated documents and manual pages, and says which of them have
 * changed.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { documents } from './documents.js';

const root = process.cwd();

function committed(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

for (const document of await documents(root)) {
  const file = path.join(root, document.path);
  if (committed(file) === document.text) continue;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, document.text);
  console.log(`written: ${document.path}`);
}
