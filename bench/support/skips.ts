/**
 * The skipped parts of a question, with reasons: for example a contender that is not installed,
 * cannot start or fails. The other contenders are still measured.
 */

export interface Skip {
  readonly name: string;
  /** One line. */
  readonly reason: string;
}

const LONGEST = 300;

export class Skips {
  readonly all: Skip[] = [];

  /** Records a skip and prints it on stderr. `why` is an error or a text. */
  add(name: string, why: unknown): void {
    const skip = { name, reason: lineOf(why) };
    this.all.push(skip);
    console.error(`skipped: ${name}: ${skip.reason}`);
  }

  has(name: string): boolean {
    return this.all.some((skip) => skip.name === name);
  }
}

function lineOf(why: unknown): string {
  const text = why instanceof Error ? why.message : String(why);
  const line = text.trim().split('\n')[0] || 'no reason was given';
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
