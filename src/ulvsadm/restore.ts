/**
 * The lines of `-R` as argument vectors, split as ipvsadm's reader does: words between blanks, no
 * quotes, no comments. The word `ipvsadm` (here also `ulvsadm`) is dropped wherever it occurs. A
 * last line without a newline counts unless two or more blanks end it.
 */
const OUR_NAMES = new Set(['ipvsadm', 'ulvsadm']);

export function* commandLines(text: string): Generator<string[]> {
  for (const line of linesOf(text)) {
    const argv = words(line);
    if (argv.length > 0) yield argv;
  }
}

/** One after the other: a list of very many lines would be work for V8's collector. */
function* linesOf(text: string): Generator<string> {
  let from = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
    yield text.slice(from, end);
    from = end + 1;
  }
  const last = text.slice(from);
  if (!/[ \t\r]{2}$/.test(last)) yield last;
}

function words(line: string): string[] {
  // Almost all lines have blanks only; for them a regular expression takes three times as long.
  return line.split(/[\t\r]/.test(line) ? /[ \t\r]+/ : ' ').filter((word) => word !== '' && !OUR_NAMES.has(word));
}
