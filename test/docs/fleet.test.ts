/** docs/fleet.md shows BIRD's configuration as the lab fleet has it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { directorBird, routerBird } from '../../src/lab/fleet/bird.js';
import { ROOT } from './markdown.js';

const page = readFileSync(path.join(ROOT, 'docs/fleet.md'), 'utf8');

it.each([
  ['a director', directorBird({ id: '192.168.1.9', device: 'eth0', router: '192.168.1.254' })],
  ['the router', routerBird({ id: '192.168.1.254', device: 'eth1', directors: '192.168.1.0/24', vips: '10.9.0.0/16' })],
])('of %s', (_, config) => {
  expect(page).toContain(`\`\`\`\n${config}\`\`\``);
});
