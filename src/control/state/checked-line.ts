/**
 * A line of JSON with a checksum before it: `CHECKSUM JSON`. Headers and the journal consist of
 * such lines.
 */
import { createHash } from 'node:crypto';

/** The line, without its line end. */
export function checkedLine(value: unknown): string {
  const text = JSON.stringify(value);
  return `${checksum(text)} ${text}`;
}

/** The value of a line; undefined: the line is damaged. */
export function readLine(line: string): unknown {
  const space = line.indexOf(' ');
  const text = line.slice(space + 1);
  return space > 0 && line.slice(0, space) === checksum(text) ? JSON.parse(text) : undefined;
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
