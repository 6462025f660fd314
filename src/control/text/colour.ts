/**
 * Colour of words on a terminal that wants it (NO_COLOR, FORCE_COLOR, TERM). Elsewhere the same
 * words are plain, so that scripts and logs see no escape sequences.
 */
import { inspect } from 'node:util';

export type Colour = 'green' | 'red' | 'yellow' | 'magenta';

/** What is asked of a stream; `hasColors` exists on a terminal only. */
export interface Output {
  readonly isTTY?: boolean;
  readonly hasColors?: () => boolean;
}

export function coloured(colour: Colour, text: string, out: Output = process.stdout): string {
  if (!out.isTTY || !out.hasColors?.()) return text;
  const [on, off] = inspect.colors[colour]!;
  return `\x1b[${on}m${text}\x1b[${off}m`;
}

/** A green ✔ or a red ✘. */
export function tick(ok: boolean, out?: Output): string {
  return ok ? coloured('green', '✔', out) : coloured('red', '✘', out);
}
