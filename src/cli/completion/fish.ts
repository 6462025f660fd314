/**
 * The completion for fish: a function that says which command is being typed, and a line for each
 * word.
 */
import type { CommandWords, OptionWords, Values } from './words.js';

/** The script; `commands` of ulvs, `options` of ulvsadm. */
export function fishCompletion(commands: readonly CommandWords[], options: readonly OptionWords[]): string {
  const paths = commands.filter(({ path }) => path !== '').map(({ path }) => quoted(` ${path}`));
  return `# fish completion of ulvs and ulvsadm, written by: ulvs completion fish

function __ulvs_at
  set -l path
  for word in (commandline -opc)[2..]
    contains -- "$path $word" ${paths.join(' ')}; and set path "$path $word"
  end
  test "$path" = "$argv"
end

function __ulvs_labs
  for file in /run/ulvs-lab/*.json
    basename $file .json
  end
end

complete -c ulvs -f
${commands.map(linesOf).join('')}
complete -c ulvsadm -f
${options.map((option) => optionLine('ulvsadm', '', option)).join('')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function linesOf({ path, subcommands, options, values }: CommandWords): string {
  const at = ` -n ${quoted(`__ulvs_at '${path === '' ? '' : ` ${path}`}'`)}`;
  return [
    ...subcommands.map(({ name, text }) => `complete -c ulvs${at} -a ${name} -d ${quoted(text)}\n`),
    ...options.map((option) => optionLine('ulvs', at, option)),
    values === 'files' ? `complete -c ulvs${at} -F\n` : '',
    values !== 'files' && values.length > 0 ? `complete -c ulvs${at} -a ${listOf(values)}\n` : '',
  ].join('');
}

function optionLine(program: string, at: string, { names, text, values }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`)).join('');
  const about = text === '' ? '' : ` -d ${quoted(text)}`;
  return `complete -c ${program}${at}${flags}${about}${values === undefined ? '' : valueWords(values)}\n`;
}

function valueWords(values: Values): string {
  if (values === 'files') return ' -r -F';
  return values.length === 0 ? ' -x' : ` -x -a ${listOf(values)}`;
}

function listOf(values: readonly string[] | 'labs'): string {
  return values === 'labs' ? "'(__ulvs_labs)'" : quoted(values.join(' '));
}
