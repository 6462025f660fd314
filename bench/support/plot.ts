/** Bar plots as SVG. Each case has a bar, and a thinner bar for its reference if there is one. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Undefined when the case has no reference. */
  readonly reference: number | undefined;
  readonly text: string;
}

const ROW = 26;
const LEFT = 260;
const WIDTH = 520;
const TOP = 56;

export function barPlot(title: string, unit: string, legend: readonly [string, string], bars: readonly Bar[]): string {
  const most = Math.max(...bars.flatMap(({ value, reference = 0 }) => [value, reference]));
  const height = TOP + bars.length * ROW + 12;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 160}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="12" y="22" font-size="16" font-weight="bold">${escaped(title)}</text>`,
    key(12, '#2b6cb0', `${legend[0]} (${unit})`),
    bars.some(({ reference }) => reference !== undefined) ? key(220, '#a0aec0', legend[1]) : '',
    ...bars.map((bar, i) => drawn(bar, TOP + i * ROW, most)),
    '</svg>\n',
  ].join('\n');
}

function key(x: number, color: string, text: string): string {
  return `<rect x="${x}" y="34" width="10" height="10" fill="${color}"/><text x="${x + 16}" y="43">${escaped(text)}</text>`;
}

function drawn({ label, value, reference, text }: Bar, y: number, most: number): string {
  const scale = (n: number) => Math.max(1, (n / most) * WIDTH).toFixed(1);
  return [
    `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>`,
    `<rect x="${LEFT}" y="${y + 2}" width="${scale(value)}" height="10" fill="#2b6cb0"/>`,
    reference === undefined
      ? ''
      : `<rect x="${LEFT}" y="${y + 13}" width="${scale(reference)}" height="5" fill="#a0aec0"/>`,
    `<text x="${LEFT + Number(scale(Math.max(value, reference ?? 0))) + 6}" y="${y + 13}">${escaped(text)}</text>`,
  ].join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!);
}
