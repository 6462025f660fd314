/**
 * The screen of `ulvs top` as lines of styled text.
 *
 *     0  director, uptime, counts          4  headings: a click sorts
 *     1  rates and their history           5  rows: a click selects, another one drills
 *     2  table, memory, health             …
 *     3  pages: a click turns              -1 prompt, message, or keys
 */
import { counted } from '../../control/text/counted.js';
import { duration } from '../commands/status.js';
import { type Sample, TOTAL, type Trends } from './sample.js';
import { PAGES, type Prompt, selectedAt, type TopState } from './state.js';
import type { Column, Row, Table, Tone } from './table.js';
import { bar, short, sparkline } from './units.js';

export type Style = Tone | 'title' | 'heading' | 'selected' | 'tab' | 'current';

/** Text in one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}
export type Line = readonly Span[];

/** Lines above the rows, and the line of pages and of headings. */
export const ABOVE = 5;
export const TABS_LINE = 3;
export const HEADING_LINE = 4;

const SPARK = 20;
const TABLE_BAR = 22;
const KEYS = 'arrows select  Enter connections  s r sort  / filter  + - weight  1 2 3 pages  p pause  h help  q quit';

export const HELP = [
  'up, down, page up, page down, wheel   select a row',
  'Enter, second click                   connections of a service or real server; Esc goes back',
  's, <, >, click on a heading           sort by the next column, the one before, this one',
  'r                                     the opposite order',
  '/                                     show rows that contain a text; Esc shows all',
  '+, -                                  change the weight of a real server; Enter confirms',
  '1, 2, 3, Tab, click                   services, drops, workers and devices',
  'p                                     pause',
  'q, Ctrl-C                             quit',
  '',
  'Rates are those of the last interval. The history has packets per second of the last intervals.',
  'any key goes back',
];

/** What the screen shows beside the table. */
export interface Around {
  readonly sample: Sample | undefined;
  readonly trends: Trends;
  /** Why there is no newer sample; '': there is. */
  readonly trouble: string;
}

/** Exactly `height` lines. `rows`: those of the table, arranged. */
export function screenOf(
  state: TopState,
  { table, rows }: { readonly table: Table; readonly rows: readonly Row[] },
  around: Around,
  { width, height }: { readonly width: number; readonly height: number },
): Line[] {
  const body = height - ABOVE - 1;
  const head = [...summary(around), tabs(state), headings(table.columns, state, width)];
  const at = selectedAt(state, rows);
  const visible = state.help
    ? HELP.map((line): Line => [{ text: ` ${line}`, style: 'plain' }])
    : rows
        .slice(state.top, state.top + body)
        .map((row, i) => rowLine(row, table.columns, width, state.top + i === at ? 'selected' : row.tone));
  const filled = [...visible.slice(0, body), ...Array<Line>(Math.max(0, body - visible.length)).fill([])];
  return [...head, ...filled, lowest(state, around.trouble)].slice(-height);
}

function summary({ sample, trends }: Around): Line[] {
  if (sample === undefined) return [[], [], []];
  const { status } = sample;
  const rates = trends.of(TOTAL);
  const { up, checked } = status.health;
  const health = checked === 0 ? '' : `   health ${up} of ${checked} up`;
  const counts = [
    counted(status.services, 'service'),
    counted(status.destinations, 'real server'),
    counted(status.workers.length, 'worker'),
  ].join(', ');
  const share = status.table.used / status.table.max;
  return [
    [
      { text: `ulvs ${status.version}`, style: 'title' },
      { text: `  pid ${status.pid}, up ${duration(status.uptime)}   ${counts}`, style: 'plain' },
    ],
    [
      {
        text: `now    ${short(rates.conns)} conn/s   ${short(rates.inpkts)} pkt/s in, ${short(rates.outpkts)} out   ${short(rates.inbytes)} B/s in, ${short(rates.outbytes)} out  `,
        style: 'plain',
      },
      { text: sparkline(trends.history(TOTAL), SPARK), style: 'good' },
    ],
    [
      { text: `table  ${bar(share, TABLE_BAR)}`, style: share > 0.9 ? 'bad' : 'good' },
      { text: ` ${status.table.used} of ${status.table.max}   ${Math.round(status.memory / 1e6)} MB`, style: 'plain' },
      { text: health, style: up < checked ? 'bad' : 'good' },
    ],
  ];
}

/** The pages' names with a space around each. */
export function tabTexts(): string[] {
  return PAGES.map((page, i) => ` ${i + 1} ${page} `);
}

function tabs({ page, filter, drilled, paused, prompt }: TopState): Line {
  const names = tabTexts().map((text, i): Span => ({ text, style: PAGES[i] === page ? 'current' : 'tab' }));
  const where = page === 'connections' ? `  connections of ${drilled}` : '';
  const some = filter === '' || prompt?.kind === 'filter' ? '' : `  only with "${filter}"`;
  return [...names, { text: `${where}${some}${paused ? '  paused' : ''}`, style: 'warn' }];
}

/** The width of each column on a screen. */
export function widths(columns: readonly Column[], width: number): number[] {
  const fixed = columns.reduce((sum, column) => sum + column.width, 0);
  return columns.map((column) => column.width || Math.max(16, width - fixed));
}

function headings(columns: readonly Column[], { sort, page }: TopState, width: number): Line {
  const { column, descending } = sort[page];
  const all = widths(columns, width);
  const texts = columns.map(({ title, right }, i) => {
    const mark = i === column ? (descending ? '▼' : '▲') : '';
    return fitted(`${title}${mark}`, all[i]!, right);
  });
  return [{ text: texts.join('').slice(0, width).padEnd(width), style: 'heading' }];
}

function rowLine({ cells }: Row, columns: readonly Column[], width: number, style: Style): Line {
  const all = widths(columns, width);
  const text = columns.map(({ right }, i) => fitted(cells[i] ?? '', all[i]!, right)).join('');
  return [{ text: text.slice(0, width).padEnd(width), style }];
}

/** Cuts or fills; a blank stays between a left column and its neighbour. */
function fitted(text: string, width: number, right: boolean): string {
  if (right) return text.slice(0, width).padStart(width);
  return (text.length >= width ? `${text.slice(0, width - 2)}…` : text).padEnd(width);
}

function lowest({ prompt, message, filter }: TopState, trouble: string): Line {
  if (prompt !== undefined) return [{ text: promptText(prompt), style: 'title' }];
  if (trouble !== '') return [{ text: trouble, style: 'bad' }];
  if (message !== '') return [{ text: message, style: 'warn' }];
  return [{ text: filter === '' ? KEYS : `Esc shows all rows   ${KEYS}`, style: 'dim' }];
}

function promptText(prompt: Prompt): string {
  if (prompt.kind === 'filter') return `filter: ${prompt.text}▏  Enter keeps it, Esc shows all`;
  return `weight of ${prompt.id}: ${prompt.from} -> ${prompt.weight}?  + - change it, Enter sets it, Esc cancels`;
}
