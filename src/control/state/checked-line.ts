/**
 * A line of JSON with a checksum before it: `CHECKSUM JSON`. Headers and the journal consist of
 * such lines.
 */
import { createHash } from 'node:crypto';

/** Characters of a checksum. */
const CHECKSUM = 16;

/** The line with its line end, as bytes. Many rules are a long line: it is encoded once. */
export function checkedLine(value: unknown): Buffer {
  const line = Buffer.from(`${' '.repeat(CHECKSUM + 1)}${JSON.stringify(value)}\n`);
  line.write(checksum(line.subarray(CHECKSUM + 1, -1)));
  return line;
}

/** The value of a line; undefined: the line is damaged. */
export function readLine(line: string): unknown {
  const space = line.indexOf(' ');
  const text = line.slice(space + 1);
  return space > 0 && line.slice(0, space) === checksum(text) ? JSON.parse(text) : undefined;
}

function checksum(text: string | Buffer): string {
  return createHash('sha256').update(text).digest('hex').slice(0, CHECKSUM);
}
