/**
 * What the user of `ulvs top` has chosen, and what a key or a click makes of it. Nothing here
 * touches a terminal or a director: what must be done is an Effect.
 *
 *     key, click ─► act(state, …) ─► state ─► view.ts ─► screen
 *                                └─► effect ─► director (a weight), or the end
 */
import type { Row, Sort } from './table.js';

export const PAGES = ['services', 'drops', 'workers'] as const;
/** `connections` is reached from a row of services. */
export type Page = (typeof PAGES)[number] | 'connections';

/** What the lowest line asks. */
export type Prompt =
  | { readonly kind: 'filter'; readonly text: string }
  | { readonly kind: 'weight'; readonly id: string; readonly from: number; readonly weight: number };

export interface TopState {
  readonly page: Page;
  readonly sort: Readonly<Record<Page, Sort>>;
  readonly filter: string;
  /** Id of the selected row; '': the first. */
  readonly selected: string;
  /** Row of services whose connections are shown. */
  readonly drilled: string;
  /** The first visible row. */
  readonly top: number;
  readonly prompt?: Prompt;
  readonly paused: boolean;
  readonly help: boolean;
  /** What the last action did; one line. */
  readonly message: string;
}

/** What the caller does. */
export type Effect =
  | { readonly kind: 'quit' }
  | { readonly kind: 'drill'; readonly id: string }
  | { readonly kind: 'weight'; readonly id: string; readonly weight: number };

/** What is on the screen now. */
export interface Shown {
  readonly rows: readonly Row[];
  /** Number of columns, for sorting. */
  readonly columns: number;
  /** Lines for rows. */
  readonly height: number;
  /** Operator's weight of a row of services; undefined: it is no destination. */
  weight(id: string): number | undefined;
}

export interface Step {
  readonly state: TopState;
  readonly effect?: Effect;
}

const AS_THEY_COME: Sort = { column: -1, descending: true };
const BY_NAME: Sort = { column: 0, descending: false };
const LARGEST_WEIGHT = 65_535;

export function newState(): TopState {
  const sort = { services: BY_NAME, drops: AS_THEY_COME, workers: AS_THEY_COME, connections: AS_THEY_COME };
  return {
    page: 'services',
    sort,
    filter: '',
    selected: '',
    drilled: '',
    top: 0,
    paused: false,
    help: false,
    message: '',
  };
}

/** The index of the selected row; the first when it has gone. */
export function selectedAt({ selected }: TopState, rows: readonly Row[]): number {
  return Math.max(
    0,
    rows.findIndex(({ id }) => id === selected),
  );
}

/** A key, by terminal-kit's name: `UP`, `ENTER`, or the character. */
export function press(before: TopState, key: string, shown: Shown): Step {
  if (key === 'CTRL_C') return { state: before, effect: { kind: 'quit' } };
  const state: TopState = { ...before, message: '' };
  if (state.help) return { state: { ...state, help: false } };
  if (state.prompt?.kind === 'filter') return { state: typed(state, state.prompt.text, key) };
  if (state.prompt?.kind === 'weight') return weighed(state, state.prompt, key);
  return MOVES[key] !== undefined
    ? { state: moved(state, MOVES[key](shown.height), shown) }
    : command(state, key, shown);
}

const MOVES: Readonly<Record<string, (height: number) => number>> = {
  UP: () => -1,
  k: () => -1,
  DOWN: () => 1,
  j: () => 1,
  PAGE_UP: (height) => -height,
  PAGE_DOWN: (height) => height,
  HOME: () => -Infinity,
  END: () => Infinity,
};

/** Selects the row `by` rows further on, and scrolls so that it is visible. */
export function moved(state: TopState, by: number, shown: Shown): TopState {
  const at = Math.min(Math.max(0, selectedAt(state, shown.rows) + by), Math.max(0, shown.rows.length - 1));
  return { ...state, selected: shown.rows[at]?.id ?? '', top: scrolled(state.top, at, shown.height) };
}

/** The first visible row, so that row `at` is visible. */
export function scrolled(top: number, at: number, height: number): number {
  return Math.max(0, Math.min(at, Math.max(top, at - height + 1)));
}

function command(state: TopState, key: string, shown: Shown): Step {
  const sort = state.sort[state.page];
  switch (key) {
    case 'q':
      return { state, effect: { kind: 'quit' } };
    case 'ENTER':
      return drill(state, shown);
    case 'ESCAPE':
    case 'BACKSPACE':
      return { state: back(state) };
    case '1':
    case '2':
    case '3':
      return { state: turnTo(state, PAGES[Number(key) - 1]!) };
    case 'TAB':
      return { state: turnTo(state, PAGES[(PAGES.indexOf(state.page as 'drops') + 1) % PAGES.length]!) };
    case 's':
    case '>':
    case 'RIGHT':
      return { state: sortBy(state, sort.column + 1 < shown.columns ? sort.column + 1 : -1) };
    case '<':
    case 'LEFT':
      return { state: sortBy(state, sort.column < 0 ? shown.columns - 1 : sort.column - 1) };
    case 'r':
      return { state: withSort(state, { ...sort, descending: !sort.descending }) };
    case '/':
      return { state: { ...state, prompt: { kind: 'filter', text: state.filter } } };
    case 'p':
      return { state: { ...state, paused: !state.paused } };
    case 'h':
    case '?':
      return { state: { ...state, help: true } };
    case '+':
    case '-':
      return { state: askWeight(state, key === '+' ? 1 : -1, shown) };
    default:
      return { state };
  }
}

/** Shows the connections of the selected service or destination. */
export function drill(state: TopState, shown: Shown): Step {
  const row = shown.rows[selectedAt(state, shown.rows)];
  if (state.page !== 'services' || row === undefined) return { state };
  const next: TopState = { ...state, page: 'connections', drilled: row.id, selected: '', top: 0, filter: '' };
  return { state: next, effect: { kind: 'drill', id: row.id } };
}

function back(state: TopState): TopState {
  if (state.page === 'connections') return { ...turnTo(state, 'services'), selected: state.drilled };
  return { ...state, filter: '' };
}

export function turnTo(state: TopState, page: Page): TopState {
  return { ...state, page, selected: '', top: 0, filter: '' };
}

/** Sorts by a column; by the same one again: in the opposite order. */
export function sortBy(state: TopState, column: number): TopState {
  const { column: now, descending } = state.sort[state.page];
  return withSort(state, { column, descending: column === now ? !descending : true });
}

function withSort(state: TopState, sort: Sort): TopState {
  return { ...state, sort: { ...state.sort, [state.page]: sort }, top: 0 };
}

function typed(state: TopState, before: string, key: string): TopState {
  const { prompt, ...rest } = state;
  if (key === 'ENTER') return rest;
  if (key === 'ESCAPE') return { ...rest, filter: '' };
  const text = key === 'BACKSPACE' ? before.slice(0, -1) : key.length === 1 ? before + key : before;
  return { ...rest, filter: text, top: 0, prompt: { kind: 'filter', text } };
}

function askWeight(state: TopState, by: number, shown: Shown): TopState {
  const id = shown.rows[selectedAt(state, shown.rows)]?.id ?? '';
  const from = state.page === 'services' ? shown.weight(id) : undefined;
  if (from === undefined) return { ...state, message: 'select a real server to change its weight' };
  return { ...state, prompt: { kind: 'weight', id, from, weight: bounded(from + by) } };
}

function weighed(state: TopState, prompt: Extract<Prompt, { kind: 'weight' }>, key: string): Step {
  const { prompt: _, ...rest } = state;
  const by = { '+': 1, UP: 1, '-': -1, DOWN: -1 }[key];
  if (by !== undefined) return { state: { ...rest, prompt: { ...prompt, weight: bounded(prompt.weight + by) } } };
  const { id, weight } = prompt;
  if (key === 'ENTER' || key === 'y') return { state: rest, effect: { kind: 'weight', id, weight } };
  return { state: { ...rest, message: 'the weight is as before' } };
}

function bounded(weight: number): number {
  return Math.min(LARGEST_WEIGHT, Math.max(0, weight));
}
