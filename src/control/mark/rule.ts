/**
 * Parser of mark rules in the words of iptables.
 *
 *     -i eth0 -s 10.0.0.0/8 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 1
 *
 * As in iptables, `!` before an option negates it, and some options need a match before them
 * (`--dport` needs `-p tcp`, `--dports` needs `-m multiport`, `--set-mark` needs `-j MARK`). A
 * leading `iptables` or `ip6tables`, `-t mangle` and `-A PREROUTING` are accepted.
 */
import type { MarkRule } from '../../service/mark.js';
import { didYouMean } from '../text/did-you-mean.js';
import { draftFamily, type MarkDraft } from './draft.js';
import { markOptions } from './options.js';
import { MarkRuleError } from './words.js';

/** Throws a MarkRuleError: one line that names the word. */
export function parseMarkRule(text: string): MarkRule {
  const words = split(text);
  const draft: MarkDraft = { text: text.trim(), modules: new Set() };
  readProgram(words, draft);
  while (words.length > 0) readOption(words, draft);
  return finish(draft);
}

/** Splits at blanks, which quotes ("…" or '…') protect. */
function split(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"']|["'])+/g)) words.push(unquoted(word));
  return words;
}

function unquoted(word: string): string {
  const bare = word.replace(/"([^"]*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? '');
  if (/["']/.test(word.replace(/"[^"]*"|'[^']*'/g, ''))) throw new MarkRuleError(`the quote in ${word} is not closed`);
  return bare;
}

function readProgram(words: string[], draft: MarkDraft): void {
  if (words[0] !== 'iptables' && words[0] !== 'ip6tables') return;
  draft.family = words.shift() === 'iptables' ? 4 : 6;
}

function readOption(words: string[], draft: MarkDraft): void {
  const negated = words[0] === '!';
  if (negated) words.shift();
  const { word, value } = optionOf(words.shift());
  if (value !== undefined) words.unshift(value);
  const option = Object.hasOwn(markOptions, word) ? markOptions[word] : undefined;
  if (!option) throw unknownWord(word);
  if (negated && !option.negatable) throw new MarkRuleError(`${word} cannot be negated by "!"`);
  option.read(draft, { word, negated, next: () => nextValue(word, words) });
}

/** Splits `--dport=80` as getopt does. `-ieth0` is not accepted, as in iptables. */
function optionOf(word: string | undefined): { word: string; value?: string } {
  if (word === undefined) throw new MarkRuleError('no option follows the last "!"');
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  return equals > 0 ? { word: word.slice(0, equals), value: word.slice(equals + 1) } : { word };
}

function nextValue(word: string, words: string[]): string {
  const value = words.shift();
  if (value === undefined) throw new MarkRuleError(`${word} has no value`);
  if (value === '!') throw new MarkRuleError(`"!" must be before ${word}: ! ${word} …`);
  return value;
}

function unknownWord(word: string): MarkRuleError {
  if (word === '-o' || word === '--out-interface') {
    return new MarkRuleError(`${word}: packets are marked before routing, when they have no output device yet`);
  }
  const hint = didYouMean(word, Object.keys(markOptions));
  return new MarkRuleError(`"${word}" is not an option of a mark rule${hint}`);
}

function finish(draft: MarkDraft): MarkRule {
  if (!draft.target) throw new MarkRuleError('-j MARK is missing; a mark rule ends with -j MARK --set-mark N');
  const { clear, flip } = draft;
  if (clear === undefined || flip === undefined) throw new MarkRuleError('-j MARK needs --set-mark N');
  const family = draftFamily(draft);
  const { modules: _, target: __, ...matches } = draft;
  return { ...matches, ...(family && { family }), clear, flip };
}
