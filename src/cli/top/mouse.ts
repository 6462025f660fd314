/** What a click in `ulvs top` means: the place on the screen decides. */
import { drill, moved, PAGES, type Shown, type Step, selectedAt, sortBy, type TopState, turnTo } from './state.js';
import type { Column } from './table.js';
import { ABOVE, HEADING_LINE, TABS_LINE, tabTexts, widths } from './view.js';

const WHEEL = 3;

/** A place on the screen; both count from 0. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The wheel moves the selection. */
export function wheel(state: TopState, up: boolean, shown: Shown): TopState {
  return moved(state, up ? -WHEEL : WHEEL, shown);
}

/** The left button. */
export function click(state: TopState, { x, y }: Place, shown: Shown, columns: readonly Column[], width: number): Step {
  if (state.help) return { state: { ...state, help: false } };
  if (state.prompt !== undefined) return { state };
  if (y === TABS_LINE) return { state: tabAt(state, x) };
  if (y === HEADING_LINE) return { state: headingAt(state, x, widths(columns, width)) };
  const at = state.top + y - ABOVE;
  if (y < ABOVE || y >= ABOVE + shown.height || at >= shown.rows.length) return { state };
  if (at === selectedAt(state, shown.rows) && state.selected !== '') return drill(state, shown);
  return { state: { ...state, selected: shown.rows[at]!.id } };
}

function tabAt(state: TopState, x: number): TopState {
  const page =
    PAGES[
      indexAt(
        x,
        tabTexts().map(({ length }) => length),
      )
    ];
  return page === undefined ? state : turnTo(state, page);
}

function headingAt(state: TopState, x: number, all: readonly number[]): TopState {
  const column = indexAt(x, all);
  return column < 0 ? state : sortBy(state, column);
}

/** The index of the piece at `x`; -1: beyond the last one. */
function indexAt(x: number, pieces: readonly number[]): number {
  let end = 0;
  return pieces.findIndex((piece) => {
    end += piece;
    return x < end;
  });
}
