/**
 * Reader of director.yaml: text to Config, all checked before anything is applied.
 *
 *     text ─ YAML ─> values ─ sections (schema.ts) ─> Config ─ crosscheck.ts ─> Config, or ConfigError with every mistake
 *
 * Each mistake is one line: file, line, key path, what is wrong and what would be right.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type Document, isScalar, LineCounter, Scalar, type YAMLError } from 'yaml';
import { defaultSocket, SUN_PATH_MAX } from '../api/socket-path.js';
import { type FirstDocument, readDocument, TooDeepError } from '../text/yaml-document.js';
import { ConfigError } from './config-error.js';
import { crossCheck } from './crosscheck.js';
import type { Config, EtcdConfig, RuleLine } from './director-config.js';
import { Positions } from './position.js';
import { Problems } from './problem.js';
import { readSections, type Sections } from './sections.js';

/** The value of `state` for a director whose connections end with its process. */
export const NO_STATE = 'none';

export { ConfigError } from './config-error.js';
export type * from './director-config.js';

/** Reads and checks a file and its rulesFile. Throws a ConfigError. */
export function loadConfig(file: string): Config {
  const { config, problems } = read(readText(file), file);
  if (config.rulesFile === undefined) return config;
  try {
    return { ...config, ruleLines: linesOf(readFileText(config.rulesFile), config.rulesFile, 1) };
  } catch (error) {
    problems.add(['rulesFile'], `${config.rulesFile}: ${reason(error)}`);
    throw problems.error();
  }
}

/**
 * Reads and checks a text. `file`: its name in errors, and the base of relative paths. Opens no
 * file. Throws a ConfigError.
 */
export function parseConfig(text: string, file: string): Config {
  return read(text, file).config;
}

function read(text: string, file: string): { config: Config; problems: Problems } {
  const lines = new LineCounter();
  const { document, faults, second } = documentIn(text, file, lines);
  const positions = new Positions(document, lines);
  const problems = new Problems(file, positions);
  for (const fault of faults) problems.put(fault.pos[0], [], yamlSentence(fault));
  if (second !== undefined)
    problems.put(second, [], 'a second YAML document begins here; a configuration is one document');
  if (problems.any) throw problems.error();
  const sections = readSections(values(document, problems), problems);
  crossCheck(sections, problems);
  const ruleLines = rulesIn(sections, positions, file, problems);
  if (problems.any) throw problems.error();
  const config = assemble(sections as Sections, file, problems);
  const deviceLines = config.devices.map((_, i) => positions.lineAt(positions.offset(['devices', i, 'name'])));
  return { config: { ...config, deviceLines, ruleLines }, problems };
}

function documentIn(text: string, file: string, lines: LineCounter): FirstDocument {
  try {
    return readDocument(text, lines);
  } catch (error) {
    if (!(error instanceof TooDeepError)) throw error;
    throw new ConfigError([`${file}:${lines.linePos(error.offset).line}: ${error.message}`]);
  }
}

/** The values of the document. Excessive aliases, and keys that are not text, fail here. */
function values(document: Document.Parsed, problems: Problems): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    problems.put(0, [], `not YAML: ${error instanceof Error ? error.message : error}`);
    throw problems.error();
  }
}

function yamlSentence({ code, message }: YAMLError): string {
  if (code === 'DUPLICATE_KEY') return 'the key is given twice in the same mapping; keep one';
  return `not YAML: ${message}`;
}

function assemble(sections: Sections, file: string, problems: Problems): Omit<Config, 'deviceLines' | 'ruleLines'> {
  const { rules: _, ...rest } = sections;
  const from = path.dirname(file);
  const socket = sections.socket === undefined ? defaultSocket() : path.resolve(from, sections.socket);
  if (Buffer.byteLength(socket) > SUN_PATH_MAX) {
    problems.add(['socket'], `${socket} is longer than the ${SUN_PATH_MAX} bytes a Unix socket's path may have`);
    throw problems.error();
  }
  const rulesFile = sections.rulesFile === undefined ? undefined : path.resolve(from, sections.rulesFile);
  const rules = typeof sections.rules === 'object' ? { etcd: withPaths(sections.rules.etcd, from) } : undefined;
  const { state } = sections;
  const directory = state === undefined || state === NO_STATE ? state : path.resolve(from, state);
  const browser = withConsolePaths(sections.console, from);
  return { ...rest, file, socket, rulesFile, rules, state: directory, console: browser };
}

/** The same with absolute paths. */
function withConsolePaths(given: Sections['console'], from: string): Config['console'] {
  if (given === undefined) return undefined;
  const { tls, token, readToken, ...rest } = given;
  const absolute = (file: string) => path.resolve(from, file);
  return {
    ...rest,
    ...(token !== undefined && { token: absolute(token) }),
    ...(readToken !== undefined && { readToken: absolute(readToken) }),
    ...(tls !== undefined && {
      tls: {
        ...tls,
        cert: absolute(tls.cert),
        key: absolute(tls.key),
        ...(tls.ca !== undefined && { ca: absolute(tls.ca) }),
      },
    }),
  };
}

/** The same with absolute paths. */
function withPaths({ lastGood, tls, user, ...rest }: EtcdConfig, from: string): EtcdConfig {
  const absolute = (file: string) => path.resolve(from, file);
  const files = Object.entries(tls ?? {}).flatMap(([key, file]) => (file === undefined ? [] : [[key, absolute(file)]]));
  return {
    ...rest,
    ...(lastGood !== undefined && { lastGood: absolute(lastGood) }),
    ...(tls !== undefined && { tls: Object.fromEntries(files) }),
    ...(user !== undefined && { user: { ...user, passwordFile: absolute(user.passwordFile) } }),
  };
}

/** The rule lines. Lines of a `rules: |` block have their own line numbers, those of other scalars that of the key. */
function rulesIn({ rules }: Partial<Sections>, at: Positions, file: string, problems: Problems): RuleLine[] {
  const node = at.node(['rules']);
  if (typeof rules !== 'string' || !isScalar(node)) return [];
  if (node.type === Scalar.BLOCK_FOLDED) problems.add(['rules'], 'a ">" joins the lines; write "rules: |"');
  const line = at.lineAt(at.offset(['rules']));
  if (node.type === Scalar.BLOCK_LITERAL) return linesOf(rules, file, line + 1);
  return linesOf(rules, file, line).map((rule) => ({ ...rule, line }));
}

/** The lines without blank ones and comments; `first`: number of the first. */
function linesOf(text: string, file: string, first: number): RuleLine[] {
  return text
    .split(/\r?\n/)
    .map((line, i) => ({ file, line: first + i, text: line.trim() }))
    .filter((rule) => rule.text !== '' && !rule.text.startsWith('#'));
}

function readText(file: string): string {
  try {
    return readFileText(file);
  } catch (error) {
    throw new ConfigError([`${file}: ${reason(error)}`]);
  }
}

function readFileText(file: string): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'is a directory, not a file',
  ENOTDIR: 'no such file: a part of the path is not a directory',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'is not UTF-8 text',
};

/** Why a file could not be read, in words; the message of other errors. */
export function reason(error: unknown): string {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
