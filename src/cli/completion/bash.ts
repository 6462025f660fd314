/** The completion for bash: a function that finds the command, and a case for each command. */
import type { CommandWords, OptionWords, Values } from './words.js';

/** Labs that are up have a file each. */
const LABS = '$(cd /run/ulvs-lab 2>/dev/null && ls *.json 2>/dev/null | sed "s/\\.json$//")';
/** The services of the running director, for -t and -u. */
const SERVICES = `$("$1" -Sn 2>/dev/null | awk -v o="$prev" '$1 == "-A" && $2 == o { print $3 }')`;

/** The script; `commands` of ulvs, `options` of ulvsadm. */
export function bashCompletion(commands: readonly CommandWords[], options: readonly OptionWords[]): string {
  return `# bash completion of ulvs and ulvsadm, written by: ulvs completion bash

_ulvs() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} path= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path \${COMP_WORDS[i]}" in
      ${alternatives(commands.filter(({ path }) => path !== '').map(({ path }) => ` ${path}`))}) path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $prev" in
${commands.flatMap((one) => one.options.map((option) => valueCase(one, option))).join('')}  esac
  case "$path" in
${commands.map(commandCase).join('')}  esac
}
complete -F _ulvs ulvs

_ulvsadm() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  case "$prev" in
    -t | -u) COMPREPLY=($(compgen -W "${SERVICES}" -- "$cur")) ; __ltrim_colon_completions "$cur" 2>/dev/null ; return ;;
${options.map(ulvsadmCase).join('')}  esac
  COMPREPLY=($(compgen -W "${options.flatMap(({ names }) => names).join(' ')}" -- "$cur"))
}
complete -F _ulvsadm ulvsadm
`;
}

function alternatives(words: readonly string[]): string {
  return words.map((word) => `"${word}"`).join(' | ');
}

function reply(values: Values, more: readonly string[] = []): string {
  if (values === 'files')
    return `COMPREPLY=($(compgen -f -W "${more.join(' ')}" -- "$cur")) ; compopt -o filenames 2>/dev/null`;
  const words = values === 'labs' ? [LABS] : values;
  return `COMPREPLY=($(compgen -W "${[...words, ...more].join(' ')}" -- "$cur"))`;
}

function valueCase({ path }: CommandWords, { names, values }: OptionWords): string {
  if (values === undefined) return '';
  const prefix = path === '' ? '' : ` ${path}`;
  return `    ${alternatives(names.map((name) => `${prefix} ${name}`))}) ${reply(values)} ; return ;;\n`;
}

function commandCase({ path, subcommands, options, values }: CommandWords): string {
  const words = [...subcommands.map(({ name }) => name), ...options.flatMap(({ names }) => names)];
  return `    "${path === '' ? '' : ` ${path}`}") ${reply(values, words)} ;;\n`;
}

function ulvsadmCase({ names, values }: OptionWords): string {
  return values === undefined || names.includes('-t') || names.includes('-u')
    ? ''
    : `    ${alternatives(names)}) ${reply(values)} ; return ;;\n`;
}
