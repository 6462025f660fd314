/** Runs the rule lines of a configuration by the code of ulvsadm. */
import type { RuleLine } from './director-config.js';

/** Runs one line (`-A -t …`). Resolves with what is wrong with it; undefined: nothing. */
export type LineRunner = (text: string) => Promise<string | undefined>;

/** Rule lines are wrong; the message names file and line, one line for each mistake. */
export class RuleLineError extends Error {
  override readonly name = 'RuleLineError';
}

/** So many mistakes are told; a file of another kind would have one in each line. */
const MOST = 20;

/** Runs all lines. Rejects with a RuleLineError that names the wrong ones, the first 20 at most. */
export async function runRuleLines(lines: readonly RuleLine[], run: LineRunner): Promise<void> {
  const mistakes: string[] = [];
  for (const { file, line, text } of lines) {
    const wrong = await run(text);
    if (wrong !== undefined) mistakes.push(`${file}:${line}: rules: ${text}: ${wrong}`);
    if (mistakes.length === MOST) break;
  }
  if (mistakes.length > 0) throw new RuleLineError(mistakes.join('\n'));
}
