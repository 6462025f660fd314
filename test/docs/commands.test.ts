/** Every `ulvs …` and `ulvsadm …` that a document shows names a command that exists, with options that it has. */
import { describe, expect, it } from 'vitest';
import { ulvsProgram } from '../../src/cli/program.js';
import { OPTIONS } from '../../src/ulvsadm/options.js';
import { codeSpans, type Doc, documents, fences } from './markdown.js';

const COMMANDS = (await ulvsProgram('')).commands;
const EVERYWHERE = ['--help', '-h'];
const TOP = ['--version', '-V', 'help', ...EVERYWHERE];
const OWN = ['--json', '--socket'];

/** Command lines in code, drawings apart: of a line, `ulvs` or `ulvsadm` and its words up to the end of that command. */
function commandLines(text: string): string[][] {
  const lines = text.split('\n').filter((line) => !/[─│►]/.test(line));
  return lines.flatMap((line) =>
    line
      .replace(/(^|\s)#.*$/, '')
      .split(/&&|\|\||[|;&]|\$\(/)
      .map((part) => part.trim().split(/\s+/))
      .map((words) => words.slice(words.findIndex((word) => word === 'ulvs' || word === 'ulvsadm')))
      .filter(([program]) => program === 'ulvs' || program === 'ulvsadm'),
  );
}

/** Fences in another language than the shell's are no command lines. */
function shown(doc: Doc): string[][] {
  const spans = codeSpans(doc).filter((code) => /^ulvs(adm)? \S/.test(code));
  const blocks = fences(doc).filter(({ language }) => language === '' || language === 'sh');
  return [...spans, ...blocks.map(({ code }) => code)].flatMap(commandLines);
}

/** What is wrong with a command line, or ''. What follows -- belongs to the program that `ulvs exec` starts. */
function complaint([program, ...all]: readonly string[]): string {
  const words = all.slice(0, all.includes('--') ? all.indexOf('--') : undefined);
  const options = words.filter((word) => /^--?[a-z]/i.test(word)).map((word) => word.split('=')[0]!);
  if (program === 'ulvsadm') return options.map(ulvsadmOption).find(Boolean) ?? '';
  const command = COMMANDS.find((one) => one.name() === words[0]);
  if (command === undefined) return words[0] === undefined || TOP.includes(words[0]) ? '' : `no command ${words[0]}`;
  const inner = command.commands.find((one) => one.name() === words[1]);
  if (command.commands.length > 0 && inner === undefined && !EVERYWHERE.includes(words[1] ?? '--help'))
    return `${command.name()} has no ${words[1]}`;
  const known = (inner ?? command).options.flatMap(({ short, long }) => [short, long]);
  const wrong = options.find((option) => !known.includes(option) && !EVERYWHERE.includes(option));
  return wrong === undefined ? '' : `${command.name()} ${inner?.name() ?? ''} has no ${wrong}`;
}

/** Long, or short ones together (-Ln). */
function ulvsadmOption(word: string): string {
  const isKnown = word.startsWith('--')
    ? OWN.includes(word) || OPTIONS.some(({ long }) => `--${long}` === word)
    : [...word.slice(1)].every((letter) => OPTIONS.some(({ short }) => short === letter));
  return isKnown ? '' : `ulvsadm has no ${word}`;
}

describe('commands in the documents', () => {
  const all = documents().flatMap((doc) => shown(doc).map((words) => ({ file: doc.file, words })));

  it('exist, with their options', () => {
    expect(all.length).toBeGreaterThan(50);
    const wrong = all
      .map(({ file, words }) => ({ line: `${file}: ${words.join(' ')}`, why: complaint(words) }))
      .filter(({ why }) => why !== '');
    expect(wrong.map(({ line, why }) => `${line}: ${why}`)).toEqual([]);
  });

  it('are checked', () => {
    const lines = commandLines('ip netns exec d ulvs runn -c x; ulvs lab upp nat && ulvsadm -Lq | head');
    expect(lines.map(complaint)).toEqual(['no command runn', 'lab has no upp', 'ulvsadm has no -Lq']);
    expect(complaint(['ulvs', 'run', '--config', 'x', '--nothing'])).toBe('run  has no --nothing');
  });
});
