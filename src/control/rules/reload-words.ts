/** What a reload changes, in words: for the log and for the reply to `ulvs reload`. */
import type { Logger } from 'pino';
import type { ChangeRequest, ReloadChange } from '../api/api.js';
import { type Config, settingsOf } from '../config/director-config.js';
import { isReloaded, SECTIONS } from '../config/reference.js';
import { type Before, changeInWords, settingsInWords } from './change-words.js';

/** Changes that the log names at level info, and those that the reply has. */
const FEW = 20;
const MOST = 1000;

/** The words of the first changes, and the number of changes of rules beyond them. */
export interface ReloadWords {
  readonly words: readonly ReloadChange[];
  readonly more: number;
}

/** Keys that have words of their own. */
const IN_WORDS = ['sysctl', 'timeouts', 'marks', 'accept', 'helpers', 'snat', 'rules', 'rulesFile'];
const SIGNS: Partial<Record<ChangeRequest['op'], ReloadChange['sign']>> = {
  addService: '+',
  addDestination: '+',
  deleteService: '-',
  deleteDestination: '-',
  flush: '-',
};

/** `running`, `wanted`: the configuration before and after. `before`: the rules before. */
export function reloadWords(
  running: Config,
  wanted: Config,
  difference: readonly ChangeRequest[],
  before: Before,
): ReloadWords {
  const keys = [...settingsInWords(settingsOf(running), settingsOf(wanted)), ...othersInWords(running, wanted)];
  const changes = difference.slice(0, MOST).map((change): ReloadChange => {
    return { sign: SIGNS[change.op] ?? '~', text: changeInWords(change, before) };
  });
  const words = [...keys.map((text): ReloadChange => ({ sign: '~', text })), ...changes];
  return { words, more: Math.max(0, difference.length - MOST) };
}

/** Keys that a reload applies and that have no words of their own. */
function othersInWords(running: Config, wanted: Config): string[] {
  const differs = (key: (typeof SECTIONS)[number]) => {
    return JSON.stringify(running[key as keyof Config]) !== JSON.stringify(wanted[key as keyof Config]);
  };
  return SECTIONS.filter((key) => isReloaded(key) && !IN_WORDS.includes(key) && differs(key)).map(
    (key) => `${key}: different`,
  );
}

export function logReload({ words, more }: ReloadWords, log: Logger): void {
  for (const [i, { text }] of words.entries()) log[i < FEW ? 'info' : 'debug'](`changed by the reload: ${text}`);
  const left = Math.max(0, words.length - FEW) + more;
  if (left > 0) log.info(`changed by the reload: ${left} more; --log-level debug names ${MOST}`);
}

/** The changes in the reply. */
export function replyWords({ words, more }: ReloadWords): ReloadChange[] {
  return more === 0 ? [...words] : [...words, { sign: '~', text: `and ${more} more changes of rules` }];
}
