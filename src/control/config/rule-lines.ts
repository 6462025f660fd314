/** The rule lines of a configuration, run through ulvsadm's code; an error names file and line. */
import type { RuleLine } from './director-config.js';

/** Runs one line (`-A -t …`), returns what was wrong with it, undefined when it was taken. */
export type LineRunner = (text: string) => Promise<string | undefined>;

export class RuleLineError extends Error {
  override readonly name = 'RuleLineError';
}

/** Throws a RuleLineError at the first line that is refused. */
export async function runRuleLines(lines: readonly RuleLine[], run: LineRunner): Promise<void> {
  for (const { file, line, text } of lines) {
    const wrong = await run(text);
    if (wrong !== undefined) throw new RuleLineError(`${file}:${line}: rules: ${text}: ${wrong}`);
  }
}
