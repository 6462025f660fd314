/**
 * `ulvs sysctl [NAME[=VALUE]…]`: lists, shows and sets sysctls by the kernel's names, with or
 * without `net.ipv4.vs.`.
 */
import { Command } from 'commander';
import type { AdminClient } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { didYouMean } from '../../control/text/did-you-mean.js';
import {
  isSysctlName,
  SYSCTL_NAMES,
  SYSCTLS,
  type SysctlName,
  type SysctlRow,
  type Sysctls,
  withoutEffect,
} from '../../service/sysctl.js';
import { guarded, UserError } from '../guard.js';
import { socketOption, withDirector } from '../inquiry.js';

interface Options {
  socket: string;
  json?: boolean;
}

export function sysctlCommand(): Command {
  return new Command('sysctl')
    .description("list, show or set a running director's sysctls (the kernel's names under net.ipv4.vs)")
    .argument('[words...]', 'NAME shows one, NAME=VALUE sets it; without arguments all are listed')
    .option('-w', 'as for sysctl(8): the words set')
    .option('--json', 'print one JSON object')
    .addOption(socketOption())
    .action((words: string[], options: Options) => guarded(() => sysctl(joined(words), options)));
}

/** `NAME = VALUE` in three words, or `NAME =VALUE`, is one word. */
function joined(words: readonly string[]): string[] {
  return words
    .join('\n')
    .replace(/\n?=\n?/g, '=')
    .split('\n')
    .filter((word) => word !== '');
}

async function sysctl(words: string[], { socket, json }: Options): Promise<void> {
  const wanted = words.map(parse);
  await withDirector(socket, async (client) => {
    for (const { name, value } of wanted) if (value !== undefined) await set(client, name, value);
    const { sysctls } = await ask(client, { op: 'getSysctls' });
    if (sysctls !== undefined)
      print(sysctls, wanted.length === 0 ? SYSCTL_NAMES : wanted.map(({ name }) => name), json);
  });
}

/** Sets a sysctl; prints a warning on stderr if it has no effect. */
async function set(client: AdminClient, name: SysctlName, value: number): Promise<void> {
  await ask(client, { op: 'setSysctl', name, value });
  const inert = withoutEffect(name);
  if (inert !== undefined) console.error(`ulvs: sysctl ${name}: ${inert}`);
}

function print(sysctls: Sysctls, names: readonly SysctlName[], json = false): void {
  if (json) console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, sysctls[name]])), null, 2));
  else for (const name of names) console.log(`${name} = ${sysctls[name]}${mark(name)}`);
}

function mark(name: SysctlName): string {
  const { effect, why }: SysctlRow = SYSCTLS[name];
  return effect === 'none' ? `  # no effect: ${why}` : '';
}

/**
 * Parses one argument, before anything is set. Throws a UserError that names what would be right.
 */
function parse(word: string): { name: SysctlName; value?: number } {
  const [key = '', ...rest] = word.split('=');
  const name = key.trim().replace(/^net[./]ipv4[./]vs[./]/, '');
  if (!isSysctlName(name))
    throw new UserError(
      `sysctl ${key}: there is no such sysctl${didYouMean(name, SYSCTL_NAMES) || '; `ulvs sysctl` lists them'}`,
    );
  if (rest.length === 0) return { name };
  const text = rest.join('=').trim();
  if (!/^-?\d{1,15}$/.test(text)) throw new UserError(`sysctl ${name}: "${text}" is not a whole number`);
  return { name, value: Number(text) };
}
