/** Loads the rules of a configuration into a director, by ulvsadm's grammar. */
import { readFileSync } from 'node:fs';
import type { AdminClient } from '../control/api/api.js';
import { type Config, type RuleLine, reason } from '../control/config/config.js';
import { RuleLineError, runRuleLines } from '../control/config/rule-lines.js';
import { ENGINE_NAMES } from '../persistence/index.js';
import { SCHEDULER_NAMES } from '../schedulers/index.js';
import { offlineNames } from './names.js';
import { ulvsadm } from './ulvsadm.js';

const NO_SERVICE = 'Service not defined';

/**
 * Runs the rule lines. Throws a RuleLineError `file:line: …` for those that are wrong. A line that
 * only misses the service of a wrong -A before it is not named.
 */
export async function loadRules(config: Config, client: AdminClient): Promise<void> {
  const names = offlineNames();
  let lacksService = false;
  await runRuleLines(config.ruleLines, async (text) => {
    const { rc, out, err } = await ulvsadm(['-R'], () => `${text}\n`, client, { program: 'ulvsadm', names });
    if (rc === 0 || (lacksService && (err + out).includes(NO_SERVICE))) return undefined;
    lacksService ||= /^(-A|--add-service)/.test(text);
    return (err + out).trim().split('\n').map(inWords).join('; ');
  });
}

/** In a file there is room for more than ipvsadm says. */
function inWords(message: string): string {
  if (message.includes('Scheduler or persistence engine not found'))
    return `${message}; schedulers: ${SCHEDULER_NAMES.join(', ')}; persistence engines: ${ENGINE_NAMES.join(', ')}`;
  if (message.includes(NO_SERVICE)) return `${message}: no line before it adds the service (-A)`;
  return message;
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
