/**
 * The lines of `-R` as argument vectors, split as ipvsadm's reader does: words between blanks, no
 * quotes, no comments. The word `ipvsadm` (here also `ulvsadm`) is dropped wherever it occurs. A
 * last line without a newline counts unless two or more blanks end it.
 */
const OUR_NAMES = new Set(['ipvsadm', 'ulvsadm']);

export function* commandLines(text: string): Generator<string[]> {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  if (!/[ \t\r]{2}$/.test(last)) lines.push(last);
  for (const line of lines) {
    const argv = words(line);
    if (argv.length > 0) yield argv;
  }
}

function words(line: string): string[] {
  return line.split(/[ \t\r]+/).filter((word) => word !== '' && !OUR_NAMES.has(word));
}
