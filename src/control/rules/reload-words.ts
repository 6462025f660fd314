/** What a reload changes, in words: for the log and for the reply to `ulvs reload`. */
import type { Logger } from 'pino';
import type { ChangeRequest } from '../api/api.js';
import type { Settings } from '../config/director-config.js';
import { type Before, changeInWords, settingsInWords } from './change-words.js';

/** Changes that the log names at level info, and those that the reply has. */
const FEW = 20;
const MOST = 1000;

/** The words of the first changes, and the number of changes of rules beyond them. */
export interface ReloadWords {
  readonly words: readonly string[];
  readonly more: number;
}

/** `running`, `wanted`: the settings before and after. `before`: the rules before. */
export function reloadWords(
  running: Settings,
  wanted: Settings,
  difference: readonly ChangeRequest[],
  before: Before,
): ReloadWords {
  const changes = difference.slice(0, MOST).map((change) => changeInWords(change, before));
  return { words: [...settingsInWords(running, wanted), ...changes], more: Math.max(0, difference.length - MOST) };
}

export function logReload({ words, more }: ReloadWords, log: Logger): void {
  for (const [i, text] of words.entries()) log[i < FEW ? 'info' : 'debug'](`changed by the reload: ${text}`);
  const left = Math.max(0, words.length - FEW) + more;
  if (left > 0) log.info(`changed by the reload: ${left} more; --log-level debug names ${MOST}`);
}

/** The lines of the reply. */
export function replyWords({ words, more }: ReloadWords): string[] {
  return more === 0 ? [...words] : [...words, `and ${more} more changes of rules`];
}
