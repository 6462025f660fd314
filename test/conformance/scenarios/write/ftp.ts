/** Writes the FTP scenes' folders, the helper's switch included: `npx esbuild --bundle … | node - DIR [NAME ...]`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ftpScenes, unhelpedScenes } from '../ftp.js';
import { save } from '../stage.js';

const TRACK =
  "nft 'add table ip f; add chain ip f c { type filter hook forward priority 0; }; add rule ip f c ct state new counter'";

const [dir = '.', ...names] = process.argv.slice(2);
const wanted = ({ name }: { name: string }) => names.length === 0 || names.includes(name);
for (const scene of ftpScenes.filter(wanted)) {
  save(dir, scene);
  const setup = join(dir, scene.name, 'setup.sh');
  // Only a service of port 21 turns on the connection tracking that the kernel's helper needs; here a rule does.
  const tracked = scene.mark ? `${TRACK}\n` : '';
  const text = readFileSync(setup, 'utf8').replace('\nsysctl', '\nmodprobe ip_vs_ftp\nsysctl');
  writeFileSync(setup, text.replace('\nipvsadm', `\n${tracked}ipvsadm`));
}
for (const scene of unhelpedScenes.filter(wanted)) {
  save(dir, scene);
  const yaml = join(dir, scene.name, 'director.yaml');
  writeFileSync(yaml, readFileSync(yaml, 'utf8').replace('\nrules:', '\nhelpers: { ftp: [] }\nrules:'));
  const setup = join(dir, scene.name, 'setup.sh');
  writeFileSync(setup, readFileSync(setup, 'utf8').replace('\nsysctl', '\nmodprobe -r ip_vs_ftp\nsysctl'));
}
