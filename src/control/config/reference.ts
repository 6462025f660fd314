/** Reference of director.yaml: every key with its type, default and words, read from the schema. */
import { z } from 'zod';
import { SYSCTL_NAMES, SYSCTLS, type SysctlRow } from '../../service/sysctl.js';
import { type KeyWords, mappingOf, words } from './builders.js';
import { schema } from './schema.js';

/** One key of director.yaml. */
export interface ConfigKey {
  /** `accept.arp`; an entry of a list is `devices[].name`. */
  readonly path: string;
  readonly type: string;
  /** The default value, as in YAML. undefined: there is none; see `required` and `without`. */
  readonly default: string | undefined;
  /** The file is refused without the key. */
  readonly required: boolean;
  /** What holds without a key that has no default value, in words; '' otherwise. */
  readonly without: string;
  /** SIGHUP applies a new value; false: only a restart does. */
  readonly reload: boolean;
  readonly text: string;
  /** A value as in YAML. */
  readonly example: string;
}

type Section = keyof typeof schema;

/** The top-level keys, in the order of the reference. */
export const SECTIONS = Object.keys(schema) as readonly Section[];

/** All keys, each mapping before the keys in it. */
export function configKeys(): ConfigKey[] {
  return SECTIONS.flatMap((name) => [...keysOf(name, schema[name], isReloaded(name)), ...sysctlsUnder(name)]);
}

/** Whether SIGHUP applies a new value of a top-level key. */
export function isReloaded(name: Section): boolean {
  return wordsOf(name, schema[name]).change === 'reload';
}

function keysOf(path: string, key: z.core.$ZodType, reload: boolean): ConfigKey[] {
  const { type, text, example, without = '' } = wordsOf(path, key);
  const { inner, isList, fallback } = unwrapped(key);
  const required = fallback === undefined && !(key instanceof z.ZodOptional);
  const own = { path, type, default: fallback, required, without, reload, text, example };
  if (!(inner instanceof z.ZodObject)) return [own];
  const prefix = isList ? `${path}[].` : `${path}.`;
  const keys = Object.entries<z.core.$ZodType>(inner.shape);
  return [own, ...keys.flatMap(([name, one]) => keysOf(prefix + name, one, reload))];
}

/** A key without words is a mistake of the schema, which the test of this file finds. */
function wordsOf(path: string, key: z.core.$ZodType): KeyWords {
  const found = words.get(key);
  if (found === undefined) throw new Error(`${path}: the schema has no words for this key`);
  return found;
}

interface Unwrapped {
  readonly inner: z.core.$ZodType;
  readonly isList: boolean;
  readonly fallback: string | undefined;
}

/**
 * What is inside `.default`, `.optional`, lists and transforms; `fallback` is the default as in
 * YAML.
 */
function unwrapped(key: z.core.$ZodType, isList = false, fallback?: string): Unwrapped {
  if (key instanceof z.ZodDefault || key instanceof z.ZodPrefault)
    return unwrapped(key.def.innerType, isList, yaml(key.def.defaultValue));
  if (key instanceof z.ZodOptional) return unwrapped(key.def.innerType, isList, fallback);
  if (key instanceof z.ZodArray) return unwrapped(key.def.element, true, fallback);
  if (key instanceof z.ZodPipe) return unwrapped(mappingOf.get(key) ?? key.def.in, isList, fallback);
  return { inner: key, isList, fallback };
}

/** Defaults are words, numbers, booleans and short lists: a word needs no quotes. */
function yaml(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function sysctlsUnder(section: Section): ConfigKey[] {
  if (section !== 'sysctl') return [];
  return SYSCTL_NAMES.map((name) => {
    const { default: value, min, max, meaning, why }: SysctlRow = SYSCTLS[name];
    const text = why === undefined ? meaning : `${meaning} (kept, but without effect: ${why})`;
    const facts = { path: `sysctl.${name}`, type: `${min} to ${max}`, text };
    return { ...facts, default: `${value}`, required: false, without: '', reload: true, example: `${value}` };
  });
}
