/** `ulvsadm --help` and its option tables as blocks, for docs/commands.md and man/ulvsadm.8. */

import { MAIN_SOCKET } from '../../src/control/api/socket-path.js';
import { help } from '../../src/ulvsadm/help.js';
import type { Command, OptionName } from '../../src/ulvsadm/options/names.js';
import { COMMANDS, LEGAL, OPTIONS } from '../../src/ulvsadm/options.js';
import { type Block, code, heading, paragraph, type Row, sentence, table } from './text/blocks.js';

export interface UlvsadmPages {
  readonly usage: string;
  /** A heading and a table for each part of the help. */
  readonly options: readonly Block[];
  /** Which options go with which command. */
  readonly legal: Block;
  readonly exit: Block;
  readonly files: Block;
}

export function ulvsadmPages(level: 2 | 3): UlvsadmPages {
  const [usage, ...parts] = partsOf(help('ulvsadm'));
  return {
    usage: usage!.lines.map((line) => line.trim()).join('\n'),
    options: parts.flatMap(({ title, lines }) => [heading(level, title), table(['option', 'meaning'], entries(lines))]),
    legal: table(['command', 'needs', 'takes', 'one of'], Object.entries(LEGAL).map(legalRow)),
    exit: table(['exit code', 'meaning'], EXIT),
    files: table(['file', 'what it is'], FILES),
  };
}

const EXIT: readonly Row[] = [
  ['0', 'Done.'],
  ['1', 'The director refused a listing: there is no such service.'],
  ['2', 'A mistake in an option or its value, or no director listens on the control socket.'],
  ['255', 'The director refused a change (one line on stderr says why), or an option is not known.'],
];

const FILES: readonly Row[] = [
  [`\`${MAIN_SOCKET}\``, 'The control socket, if neither `--socket` nor `ULVS_SOCKET` names another.'],
  ['`/etc/services`', 'Names of ports.'],
];

interface Part {
  readonly title: string;
  readonly lines: string[];
}

/** The parts of the help text, by their titles (`Options:`). The first line has the version. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  for (const line of text.split('\n').slice(1)) {
    const title = /^([A-Za-z][\w -]*):$/.exec(line)?.[1];
    if (title !== undefined) parts.push({ title: title === 'virtual-service' ? 'Virtual service' : title, lines: [] });
    else if (line.startsWith('  ')) parts.at(-1)!.lines.push(line);
  }
  return parts;
}

/**
 * Reads `  --add-service     -A        add virtual service …`. A line with a larger indent
 * continues the line before.
 */
function entries(lines: readonly string[]): Row[] {
  const joined: string[] = [];
  for (const line of lines) {
    if (/^ {10}/.test(line)) joined[joined.length - 1] += ` ${line.trim()}`;
    else joined.push(line.trim());
  }
  return joined.map((line) => {
    const columns = line.split(/ {2,}/);
    return [`\`${columns.slice(0, -1).join(' ')}\``, sentence(columns.at(-1)!)];
  });
}

function legalRow([command, { required = [], optional = [], exclusive = [] }]: [string, (typeof LEGAL)[Command]]): Row {
  const { long } = COMMANDS.find(({ id }) => id === command)!;
  return [`\`--${long}\``, ...[required, optional, exclusive].map((names) => names.map(words).join(', '))];
}

/** Options that have one name in the tables: the service's address, the forwarding method. */
const SEVERAL: Partial<Record<OptionName, readonly string[]>> = {
  'service-address': ['tcp-service', 'udp-service', 'sctp-service', 'fwmark-service'],
  'forwarding-method': ['masquerading', 'gatewaying', 'ipip', 'full-nat'],
};

function words(name: OptionName): string {
  return (SEVERAL[name] ?? [name])
    .map((long) => {
      const option = OPTIONS.find((one) => one.long === long);
      if (option === undefined) throw new Error(`ulvsadm: no option --${long}`);
      return `\`${option.short === undefined ? `--${long}` : `-${option.short}`}\``;
    })
    .join(' or ');
}

/** The first paragraphs of both documents. */
export const ULVSADM_INTRODUCTION: readonly Block[] = [
  paragraph(
    `\`ulvsadm\` is ipvsadm for a director in user space: the grammar, the listings, the sentences and the exit codes of
    ipvsadm 1.31. It asks the director over its control socket. Scripts that call \`ipvsadm\` work when the name is replaced.`,
  ),
  paragraph(
    '`--start-daemon` and `--stop-daemon` start and stop connection synchronisation (docs/sync.md). A replay has none.',
  ),
  paragraph(
    'Without arguments it lists the table. `-R` reads rules from stdin, one a line; a line that is refused is told and the next one goes on. A line with wrong words ends it, as in ipvsadm: the lines before it are in force. There are no comments. The exit code is that of the last line.',
  ),
];

export const ULVSADM_EXAMPLES: Block = code(
  'sh',
  [
    'ulvsadm -A -t 10.0.0.100:80 -s wlc',
    'ulvsadm -a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 2',
    'ulvsadm -e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 0    # no new connections',
    'ulvsadm -Ln --stats',
    'ulvsadm -Lnc --json                                         # connections, for a program',
    'ulvsadm -Sn > rules && ulvsadm -C && ulvsadm -R < rules',
  ].join('\n'),
);
