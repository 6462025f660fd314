/** What package-lock.json says of the packages that are installed with ulvs. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly integrity?: string;
}

const LOCK = path.resolve(import.meta.dirname, '../../package-lock.json');
const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as { packages: Readonly<Record<string, Locked>> };

it('only optional packages for development lack a checksum', () => {
  const locked = Object.entries(packages).filter(([name]) => name !== '');
  expect(locked.length).toBeGreaterThan(50);
  const bare = locked.filter(([, { integrity, dev, optional }]) => integrity === undefined && !(dev && optional));
  expect(bare.map(([name]) => name)).toEqual([]);
});
