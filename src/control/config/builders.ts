/**
 * The parts that the schema of director.yaml is made of: values, mappings, lists, and the words
 * about each key.
 */
import { z } from 'zod';
import { MarkRuleError } from '../mark/words.js';
import { didYouMean } from '../text/did-you-mean.js';
import { notA, Wrong } from './scalars.js';

/** What a key of director.yaml says about itself; docs/configuration.md is made of it. */
export interface KeyWords {
  /** What a value is, in words: `IPv4 or IPv6 address`. */
  readonly type: string;
  /** What the key does, in whole sentences. */
  readonly text: string;
  /** A value as one writes it in YAML. */
  readonly example: string;
  /**
   * What holds without the key, for a key without a default value: `the address of the interface`.
   */
  readonly without?: string;
  /** Top-level keys only. `reload`: SIGHUP applies a new value. `restart`: only a restart does. */
  readonly change?: 'reload' | 'restart';
}

/** The words of each key, by its schema: `value(flag).register(words, { … })`. */
export const words = z.registry<KeyWords>();

export type Context = z.core.$RefinementCtx<unknown>;

/**
 * A value. `read` returns it in canonical form, or throws Wrong or MarkRuleError with the whole
 * sentence.
 */
export function value<T>(read: (raw: unknown) => T) {
  return z.unknown().transform((raw, context): T => attempt(() => read(raw), context, []));
}

/** Turns what `read` throws into an issue at `path`. */
export function attempt<T>(read: () => T, context: Context, path: PropertyKey[]): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Wrong || error instanceof MarkRuleError)) throw error;
    context.addIssue({ code: 'custom', message: error.message, path });
    return z.NEVER;
  }
}

/**
 * A mapping of known keys only. For an unknown key the message lists the known ones; sections.ts
 * writes the sentence.
 */
export function mapping<S extends z.ZodRawShape>(right: string, shape: S) {
  const keys = Object.keys(shape).join(' ');
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? keys : notA(issue.input, right).message),
  });
}

/** A list; `right`: an item as one writes it. */
export function list<T extends z.ZodType>(right: string, item: T) {
  return z.array(item, { error: (issue) => notA(issue.input, `a list such as [ ${right} ]`).message });
}

/** One of a few words. */
export function oneOf<T extends string>(choices: readonly T[]) {
  return value((raw): T => {
    const found = choices.find((choice) => choice === raw);
    if (found !== undefined) return found;
    const { message } = notA(raw, `one of ${choices.join(', ')}`);
    throw new Wrong(`${message}${typeof raw === 'string' ? didYouMean(raw, choices) : ''}`);
  });
}

/** The mapping that may stand in place of the text of a schema made by textOr. */
export const mappingOf = new WeakMap<z.core.$ZodType, z.core.$ZodType>();

/** A text, or a mapping in its place. */
export function textOr<T extends z.ZodType>(read: (raw: unknown) => string, other: T) {
  const schema = z.unknown().transform((raw, context): string | z.output<T> => {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return attempt(() => read(raw), context, []);
    const result = other.safeParse(raw);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.addIssue({ ...issue, path: [...issue.path] } as never);
    return z.NEVER;
  });
  mappingOf.set(schema, other);
  return schema;
}
