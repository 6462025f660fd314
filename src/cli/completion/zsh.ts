/** The completion for zsh: one function for both programs; words with their descriptions. */
import type { CommandWords, OptionWords, Values } from './words.js';

const LABS = '_values lab /run/ulvs-lab/*.json(N:t:r)';

/** The script; `commands` of ulvs, `options` of ulvsadm. */
export function zshCompletion(commands: readonly CommandWords[], options: readonly OptionWords[]): string {
  return `#compdef ulvs ulvsadm
# zsh completion of ulvs and ulvsadm, written by: ulvs completion zsh

_ulvs_command() {
  local path_= i prev=\${words[CURRENT-1]}
  local -a list
  for ((i = 2; i < CURRENT; i++)); do
    case "$path_ \${words[i]}" in
      (${alternatives(commands.filter(({ path }) => path !== '').map(({ path }) => ` ${path}`))}) path_="$path_ \${words[i]}" ;;
    esac
  done
  case "$path_ $prev" in
${commands.flatMap((one) => one.options.map((option) => valueCase(one, option))).join('')}  esac
  case "$path_" in
${commands.map(commandCase).join('')}  esac
}

_ulvsadm_command() {
  local -a list
  case "\${words[CURRENT-1]}" in
${options.map((option) => valueCase(undefined, option)).join('')}  esac
  list=(${options.flatMap(({ names }) => names.map((name) => quoted(name))).join(' ')})
  _describe option list
}

case "$service" in
  (ulvsadm) _ulvsadm_command ;;
  (*) _ulvs_command ;;
esac
`;
}

function alternatives(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join('|');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A word with its description, as _describe reads it. */
function described(name: string, text: string): string {
  return quoted(`${name}:${text.replaceAll(':', '\\:')}`);
}

function offer(values: Values): string {
  if (values === 'files') return '_files';
  if (values === 'labs') return LABS;
  return values.length === 0 ? ':' : `list=(${values.map(quoted).join(' ')}) ; _describe value list`;
}

function valueCase(command: CommandWords | undefined, { names, values }: OptionWords): string {
  if (values === undefined) return '';
  const prefix = command === undefined ? '' : `${command.path === '' ? '' : ` ${command.path}`} `;
  return `    (${alternatives(names.map((name) => `${prefix}${name}`))}) ${offer(values)} ; return ;;\n`;
}

function commandCase({ path, subcommands, options, values }: CommandWords): string {
  const list = [
    ...subcommands.map(({ name, text }) => described(name, text)),
    ...options.flatMap(({ names, text }) => names.map((name) => described(name, text))),
  ];
  return `    ("${path === '' ? '' : ` ${path}`}")
      list=(${list.join(' ')})
      _describe ${quoted(`ulvs ${path}`.trim())} list
      ${offer(values)} ;;
`;
}
