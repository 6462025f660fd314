/** Loads the rules of a configuration into a director, by ulvsadm's grammar. */
import { readFileSync } from 'node:fs';
import type { AdminClient } from '../control/api/api.js';
import { type Config, type RuleLine, reason } from '../control/config/config.js';
import { RuleLineError, runRuleLines } from '../control/config/rule-lines.js';
import { offlineNames } from './names.js';
import { ulvsadm } from './ulvsadm.js';

/** Runs the rule lines. Throws a RuleLineError `file:line: …` for the first one that is wrong. */
export async function loadRules(config: Config, client: AdminClient): Promise<void> {
  const names = offlineNames();
  await runRuleLines(config.ruleLines, async (text) => {
    const { rc, out, err } = await ulvsadm(['-R'], () => `${text}\n`, client, { program: 'ulvsadm', names });
    if (rc === 0) return undefined;
    return (err + out).trim().split('\n').join('; ');
  });
}

/**
 * The lines of a rules file as for `ipvsadm -R`, without comments and empty lines. Throws a
 * RuleLineError if the file cannot be read.
 */
export function fileLines(file: string): RuleLine[] {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new RuleLineError(`${file}: ${reason(error)}; name a file with lines as for ipvsadm -R`);
  }
  return content
    .split('\n')
    .map((text, i) => ({ file, line: i + 1, text: text.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
}
