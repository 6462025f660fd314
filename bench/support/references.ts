/** The packet path in C (bench/reference), in two variants. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';

/** Both variants, by the name in the results: what gcc gets. */
export const REFERENCES: Readonly<Record<string, readonly string[]>> = {
  'C -O2': ['-O2'],
  'C -O3 batches': ['-O3', '-march=native', '-DBATCHES'],
};

/** Compiles both. Throws where gcc is missing. */
export function buildReferences(): void {
  const files = ['pipeline.c', 'director.c'].map((name) => `bench/reference/${name}`);
  mkdirSync('build', { recursive: true });
  for (const [name, flags] of Object.entries(REFERENCES))
    execFileSync('gcc', [...flags, '-o', program(name), ...files], { stdio: 'inherit' });
}

/** The compiled program of a variant. */
export function program(name: string): string {
  return `build/pipeline-${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
}
