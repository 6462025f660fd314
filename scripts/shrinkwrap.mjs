/**
 * Writes npm-shrinkwrap.json for the package: package-lock.json without what only development needs. npm then installs for a
 * user exactly the versions that were tested. It also carries `overrides` of package.json along, which npm obeys for the
 * root project only: raw-socket asks for nan 2.19, which does not compile against Node.js 24, and gets a newer one.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { devDependencies: _, ...root } = lock.packages[''];
const used = Object.entries(lock.packages).filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional);
const packages = { '': root, ...Object.fromEntries(used) };
writeFileSync('npm-shrinkwrap.json', `${JSON.stringify({ ...lock, packages }, null, 2)}\n`);
