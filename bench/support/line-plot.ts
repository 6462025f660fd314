/**
 * Lines over time as SVG: one panel below the other, all with the same axis of time.
 *
 *     name, unit   most ┤    ╱╲__
 *                     0 ┤╱╲╱╲╱
 *                       └──────────► h
 */
export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Line {
  readonly name: string;
  /** By point of time. */
  readonly values: readonly number[];
}

const LEFT = 70;
const WIDTH = 700;
const HEIGHT = 90;
const PITCH = 140;
const TOP = 60;
const COLOURS = ['#2b6cb0', '#c05621', '#2f855a'];

/** `hours`: the points of time, ascending. */
export function linePlots(title: string, hours: readonly number[], panels: readonly Panel[]): string {
  const height = TOP + panels.length * PITCH;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${LEFT + WIDTH + 30}" height="${height}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="white"/>',
    `<text x="12" y="22" font-size="16" font-weight="bold">${title}</text>`,
    ...panels.map((panel, i) => drawn(panel, hours, TOP + i * PITCH)),
    '</svg>\n',
  ].join('\n');
}

function drawn({ title, lines }: Panel, hours: readonly number[], y: number): string {
  const most = roundUp(Math.max(...lines.flatMap(({ values }) => values)));
  const end = hours.at(-1)!;
  const place = (value: number, i: number) =>
    `${(LEFT + (hours[i]! / end) * WIDTH).toFixed(1)},${(y + HEIGHT - (value / most) * HEIGHT).toFixed(1)}`;
  return [
    `<text x="${LEFT}" y="${y - 8}">${title}</text>`,
    ...lines.map(({ name }, i) => label(name, LEFT + 300 + i * 130, y - 8, COLOURS[i]!)),
    `<path d="M${LEFT} ${y}V${y + HEIGHT}H${LEFT + WIDTH}" fill="none" stroke="#a0aec0"/>`,
    `<text x="${LEFT - 6}" y="${y + 6}" text-anchor="end">${most}</text>`,
    `<text x="${LEFT - 6}" y="${y + HEIGHT}" text-anchor="end">0</text>`,
    `<text x="${LEFT + WIDTH}" y="${y + HEIGHT + 16}" text-anchor="end">${end.toFixed(2)} h</text>`,
    ...lines.map(
      ({ values }, i) => `<polyline points="${values.map(place).join(' ')}" fill="none" stroke="${COLOURS[i]}"/>`,
    ),
  ].join('\n');
}

function label(name: string, x: number, y: number, colour: string): string {
  return `<rect x="${x}" y="${y - 9}" width="10" height="10" fill="${colour}"/><text x="${x + 15}" y="${y}">${name}</text>`;
}

/** To one digit: the end of an axis. */
function roundUp(value: number): number {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return Number((Math.ceil(value / unit) * unit).toPrecision(2));
}
