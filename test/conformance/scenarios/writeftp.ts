/** Writes the FTP scenes' folders, the helper's switch included: `npx esbuild --bundle … | node - DIR [NAME ...]`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ftpScenes, unhelpedScenes } from './ftp.js';
import { save } from './stage.js';

const [dir = '.', ...names] = process.argv.slice(2);
const wanted = ({ name }: { name: string }) => names.length === 0 || names.includes(name);
for (const scene of ftpScenes.filter(wanted)) {
  save(dir, scene);
  const setup = join(dir, scene.name, 'setup.sh');
  writeFileSync(setup, readFileSync(setup, 'utf8').replace('\nsysctl', '\nmodprobe ip_vs_ftp\nsysctl'));
}
for (const scene of unhelpedScenes.filter(wanted)) {
  save(dir, scene);
  const yaml = join(dir, scene.name, 'director.yaml');
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('\nrules:', '\nhelpers: { ftp: [] }\nrules:'));
  const setup = join(dir, scene.name, 'setup.sh');
  writeFileSync(setup, readFileSync(setup, 'utf8').replace('\nsysctl', '\nmodprobe -r ip_vs_ftp\nsysctl'));
}
