/**
 * docs/configuration.md and director.yaml(5): every key, with its description from the schema of
 * director.yaml.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type ConfigKey, configKeys } from '../../src/control/config/reference.js';
import { SYSCTL_NAMES, SYSCTLS, type SysctlName, type SysctlRow } from '../../src/service/sysctl.js';
import { environmentRows } from './commands.js';
import { markOptionRows } from './mark-options.js';
import {
  type Block,
  bullets,
  code,
  type Document,
  heading,
  paragraph,
  type Row,
  sentence,
  table,
} from './text/blocks.js';
import { manual } from './text/man.js';
import { markdown } from './text/markdown.js';

const EXAMPLE = 'examples/all-keys.yaml';
const SOURCES = [
  ...['src/control/config/schema.ts', 'src/control/config/network-schema.ts', 'src/service/sysctl.ts'],
  ...['src/control/mark/options.ts', 'tools/docs/mark-options.ts', EXAMPLE],
];

export function configurationDocuments(root: string, version: string): Document[] {
  const example = readFileSync(path.join(root, EXAMPLE), 'utf8');
  return [configurationDocument(example), manualPage(example, version)];
}

function configurationDocument(example: string): Document {
  return markdown('docs/configuration.md', 'Configuration', SOURCES, [
    ...introduction(),
    paragraph('[examples](../examples) has a file for each forwarding method; this one has every key:'),
    code('yaml', example),
    heading(2, 'Keys'),
    table(['key', 'type', 'default', 'change by'], topKeys().map(overview)),
    ...topKeys().flatMap((key) => [heading(3, key.path), ...keyBlocks(key)]),
    heading(2, 'Sysctls'),
    ...sysctlBlocks(),
    heading(2, 'Mark rules'),
    ...markBlocks(),
    heading(2, 'Environment variables'),
    table(['variable', 'meaning'], environmentRows()),
  ]);
}

function manualPage(example: string, version: string): Document {
  return manual({
    name: 'director.yaml',
    section: 5,
    purpose: 'configuration of an ulvs director',
    version,
    sources: SOURCES,
    blocks: [
      heading(2, 'Description'),
      ...introduction(),
      heading(2, 'Keys'),
      ...topKeys().flatMap((key) => [heading(3, key.path), ...keyBlocks(key)]),
      heading(2, 'Sysctls'),
      ...sysctlBlocks(),
      heading(2, 'Mark rules'),
      ...markBlocks(),
      heading(2, 'Example'),
      code('yaml', example),
      heading(2, 'See also'),
      paragraph('**ulvs**(8), **ulvsadm**(8), **iptables**(8)'),
    ],
  });
}

function introduction(): Block[] {
  return [
    paragraph(
      `A director reads one file in YAML: \`ulvs run -c director.yaml\`. Only \`devices\` is required. Keys that are not known are
      refused; a mistake is one line with the file, the line, the key and what would be right.`,
    ),
    paragraph(
      `**reload** means that \`SIGHUP\` applies a new value and keeps all connections. **restart** means that a reload with another
      value is refused as a whole: the director has to be started again.`,
    ),
    bullets([
      'An IPv6 address that ends in `::` needs quotes in YAML: `"2001:db8::"`.',
      'A path is relative to the directory of the file.',
      'A prefix must have no bits behind its length: `10.9.0.0/16`, not `10.9.1.0/16`.',
    ]),
  ];
}

const KEYS = configKeys();

function topKeys(): ConfigKey[] {
  return KEYS.filter((key) => !/[.[]/.test(key.path));
}

function keysIn({ path: top }: ConfigKey): ConfigKey[] {
  return KEYS.filter((key) => key.path.startsWith(`${top}.`) || key.path.startsWith(`${top}[].`));
}

function overview(key: ConfigKey): Row {
  return [`[\`${key.path}\`](#${key.path.toLowerCase()})`, key.type, fallback(key), change(key)];
}

function change({ reload }: ConfigKey): string {
  return reload ? 'reload' : 'restart';
}

function fallback({ default: value, required, without }: ConfigKey): string {
  if (required) return 'required';
  if (value === undefined) return without;
  if (value === '{}') return 'the defaults of its keys';
  return value === '[]' ? 'empty' : `\`${value}\``;
}

/** The sysctls have a table of their own. */
function keyBlocks(key: ConfigKey): Block[] {
  const inner = key.path === 'sysctl' ? [] : keysIn(key);
  return [
    paragraph(key.path === 'sysctl' ? `${key.text} The table of sysctls has them all.` : key.text),
    bullets([`type: ${key.type}`, `default: ${fallback(key)}`, `change by: ${change(key)}`]),
    code('yaml', `${key.path}: ${key.example}`),
    ...(inner.length > 0 ? [table(['key', 'type', 'default', 'example', 'meaning'], inner.map(innerRow))] : []),
  ];
}

function innerRow(key: ConfigKey): Row {
  return [`\`${key.path}\``, key.type, fallback(key), `\`${key.example}\``, key.text];
}

function sysctlBlocks(): Block[] {
  return [
    paragraph(
      `The names, defaults and meanings are those of \`/proc/sys/net/ipv4/vs\`. The key \`sysctl\` sets them at the start and at a
      reload, \`ulvs sysctl NAME=VALUE\` at any time until the next reload. A sysctl without effect is kept for scripts that set it.`,
    ),
    code('yaml', 'sysctl: { conn_reuse_mode: 2, expire_nodest_conn: 1 }'),
    table(['name', 'default', 'range', 'effect', 'meaning'], SYSCTL_NAMES.map(sysctlRow)),
  ];
}

function sysctlRow(name: SysctlName): Row {
  const { default: value, min, max, meaning, effect, why = '' }: SysctlRow = SYSCTLS[name];
  const has = effect === 'none' ? `none: ${why}` : 'yes';
  return [`\`${name}\``, String(value), `${min} to ${max}`, has, sentence(meaning)];
}

function markBlocks(): Block[] {
  return [
    paragraph(
      `A rule of \`marks\` has the words of \`iptables -t mangle -A PREROUTING\`. All options of a rule must match; then the packet
      gets the mark. All rules are tried in their order, and a later rule sees the mark of an earlier one. A service selects
      packets by their mark (\`ulvsadm -A -f MARK\`).`,
    ),
    code('yaml', 'marks:\n  - "-i eth0 -d 10.9.0.0/16 -p tcp --dport 80 -j MARK --set-mark 1"'),
    table(['option', 'value', 'with !', 'meaning'], markOptionRows()),
  ];
}
