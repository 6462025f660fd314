/**
 * Reads a YAML text whose collections may nest LEVELS deep. The reader of the package `yaml` calls
 * itself for each level until the stack is full; V8 was seen to end the process there, when it had
 * to compile a regular expression. So the depth is looked at token by token, before anything
 * descends.
 */
import { Composer, CST, type Document, Lexer, type LineCounter, Parser, type YAMLError } from 'yaml';

/** A configuration has about ten. */
export const LEVELS = 100;

/** The text nests deeper, at this offset. */
export class TooDeepError extends Error {
  override readonly name = 'TooDeepError';

  constructor(readonly offset: number) {
    super(`lists and mappings are nested too deeply: at most ${LEVELS} levels`);
  }
}

export interface FirstDocument {
  /** An empty one if the text has none. */
  readonly document: Document.Parsed;
  readonly faults: readonly YAMLError[];
  /** The offset of another document; undefined: there is none. */
  readonly second: number | undefined;
}

/** Reads the first document. `lines` gets the offsets of the lines. Throws a TooDeepError. */
export function readDocument(text: string, lines: LineCounter): FirstDocument {
  const composer = new Composer({ lineCounter: lines, prettyErrors: false });
  const [document, other] = composer.compose(tokens(text, lines), true, text.length);
  return {
    document: document!,
    faults: [...document!.errors, ...document!.warnings],
    second: other?.range[0],
  };
}

function* tokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const word of new Lexer().lex(text)) {
    yield* parser.next(word);
    // The lowest entry is the document; scalars are no level.
    if (parser.stack.length - 1 > LEVELS && CST.isCollection(parser.stack.at(-1)))
      throw new TooDeepError(parser.offset);
  }
  yield* parser.end();
}
