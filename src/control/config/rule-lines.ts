/** Runs the rule lines of a configuration by the code of ulvsadm. */
import type { RuleLine } from './director-config.js';

/** Runs one line (`-A -t …`). Resolves with what is wrong with it; undefined: nothing. */
export type LineRunner = (text: string) => Promise<string | undefined>;

/** A rule line is wrong; the message names file and line. */
export class RuleLineError extends Error {
  override readonly name = 'RuleLineError';
}

/** Rejects with a RuleLineError at the first wrong line. */
export async function runRuleLines(lines: readonly RuleLine[], run: LineRunner): Promise<void> {
  for (const { file, line, text } of lines) {
    const wrong = await run(text);
    if (wrong !== undefined) throw new RuleLineError(`${file}:${line}: rules: ${text}: ${wrong}`);
  }
}
