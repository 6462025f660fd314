/** Sysctls as the text of their files in /proc/sys/net/ipv4/vs. */
import type { AdminClient } from '../../control/api/api.js';
import type { SysctlName } from '../../service/sysctl.js';
import { askDirector } from '../ask.js';
import { Refusal } from '../refusal.js';

/** The sysctls behind a file: sync_threshold has two numbers. */
function namesOf(file: SysctlName): readonly SysctlName[] {
  return file === 'sync_threshold' ? ['sync_threshold', 'sync_period'] : [file];
}

/** What a read gives, with its newline. Rejects with a Refusal. */
export async function sysctlText(file: SysctlName, client: AdminClient): Promise<string> {
  const { sysctls } = await askDirector(client, { op: 'getSysctls' });
  return `${namesOf(file)
    .map((name) => sysctls![name])
    .join('\t')}\n`;
}

/** Sets what a program has written. Rejects with a Refusal; its text says what is wrong. */
export async function writeSysctl(file: SysctlName, text: string, client: AdminClient): Promise<void> {
  const words = text.trim().split(/\s+/);
  const names = namesOf(file);
  const isValid = words.length <= names.length && words.every((word) => /^-?\d{1,15}$/.test(word));
  if (!isValid) throw new Refusal('EINVAL', `sysctl ${file}: "${text.trim()}" is not a whole number`);
  for (const [i, word] of words.entries())
    await askDirector(client, { op: 'setSysctl', name: names[i]!, value: Number(word) });
}
