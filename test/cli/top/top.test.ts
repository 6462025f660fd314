/** The parts of `ulvs top` without a terminal: numbers, sorting, filtering, selection, screen, rates. */
import { describe, expect, it } from 'vitest';
import { click } from '../../../src/cli/top/mouse.js';
import type { Sample } from '../../../src/cli/top/sample.js';
import { Trends } from '../../../src/cli/top/sample.js';
import { newState, press, type Shown } from '../../../src/cli/top/state.js';
import { arrange, count, type Row, text } from '../../../src/cli/top/table.js';
import { bar, short, sparkline } from '../../../src/cli/top/units.js';
import { ABOVE, HEADING_LINE, screenOf } from '../../../src/cli/top/view.js';

const row = (id: string, value: number, below: Row[] = []): Row => {
  return { id, cells: [id, `${value}`], keys: [id, value], tone: 'plain', below };
};
const ROWS = [row('web', 5, [row('web .11', 1), row('web .12', 4)]), row('dns', 7, [row('dns .12', 7)])];
const COLUMNS = [text('name', 0), count('value', 8)];
const shown = (rows = arrange(ROWS, { column: -1, descending: true }, ''), height = 3): Shown => {
  return { rows, columns: 2, height, weight: (id) => (id.includes('.') ? 4 : undefined) };
};
const ids = (rows: readonly Row[]) => rows.map(({ id }) => id);

describe('numbers', () => {
  it('are short', () => {
    const values = [0, 0.04, 1, 7.46, 9.97, 950, 999.6, 1234, 13_400_000, 2e12];
    expect(values.map(short)).toEqual(['0', '0', '1', '7.5', '10', '950', '1.0k', '1.2k', '13M', '2.0T']);
  });
  it('make bars and sparklines of a fixed width', () => {
    expect(bar(0.5, 12)).toBe('[|||||     ]');
    expect(bar(7, 6)).toBe('[||||]');
    expect(sparkline([0, 1, 8], 5)).toBe('  ▁▂█');
    expect(sparkline([0, 0], 2)).toBe('▁▁');
  });
});

describe('rows', () => {
  it('are sorted among their kind', () => {
    expect(ids(arrange(ROWS, { column: 1, descending: true }, ''))).toEqual([
      'dns',
      'dns .12',
      'web',
      'web .12',
      'web .11',
    ]);
    expect(ids(arrange(ROWS, { column: 0, descending: false }, ''))[0]).toBe('dns');
  });
  it('are filtered with their heads', () => {
    expect(ids(arrange(ROWS, { column: -1, descending: true }, '.12'))).toEqual(['web', 'web .12', 'dns', 'dns .12']);
    expect(ids(arrange(ROWS, { column: -1, descending: true }, 'WEB'))).toEqual(['web', 'web .11', 'web .12']);
  });
});

describe('keys', () => {
  it('move the selection and scroll', () => {
    let state = newState();
    for (const key of ['DOWN', 'DOWN', 'DOWN']) ({ state } = press(state, key, shown()));
    expect({ selected: state.selected, top: state.top }).toEqual({ selected: 'dns', top: 1 });
    ({ state } = press(state, 'HOME', shown()));
    expect({ selected: state.selected, top: state.top }).toEqual({ selected: 'web', top: 0 });
    ({ state } = press(state, 'END', shown()));
    expect(state.selected).toBe('dns .12');
  });
  it('change a weight only after Enter, and only that of a real server', () => {
    let step = press({ ...newState(), selected: 'web .11' }, '-', shown());
    for (const key of ['-', '-', '-', '-', '-']) step = press(step.state, key, shown());
    expect(step.state.prompt).toEqual({ kind: 'weight', id: 'web .11', from: 4, weight: 0 });
    expect(press(step.state, 'ENTER', shown()).effect).toEqual({ kind: 'weight', id: 'web .11', weight: 0 });
    expect(press(step.state, 'x', shown())).toMatchObject({ state: { message: 'the weight is as before' } });
    expect(press(newState(), '+', shown()).state).not.toHaveProperty('prompt');
  });
  it('type a filter', () => {
    let { state } = press(newState(), '/', shown());
    for (const key of ['.', '1', '3', 'BACKSPACE', '2']) ({ state } = press(state, key, shown()));
    expect(state.filter).toBe('.12');
    ({ state } = press(state, 'ENTER', shown()));
    expect(state.filter).toBe('.12');
    expect(press(state, 'ESCAPE', shown()).state.filter).toBe('');
  });
});

describe('clicks', () => {
  it('select, drill and sort', () => {
    const at = { x: 1, y: ABOVE + 1 };
    const first = click(newState(), at, shown(), COLUMNS, 40);
    expect(first.state.selected).toBe('web .11');
    expect(click(first.state, at, shown(), COLUMNS, 40).effect).toEqual({ kind: 'drill', id: 'web .11' });
    const sorted = click(newState(), { x: 38, y: HEADING_LINE }, shown(), COLUMNS, 40).state;
    expect(sorted.sort.services).toEqual({ column: 1, descending: true });
    expect(click(newState(), { x: 1, y: 99 }, shown(), COLUMNS, 40)).toEqual({ state: newState() });
  });
});

describe('rates', () => {
  const sample = (at: number, pid: number, conns: number) => {
    const total = { conns, inpkts: conns * 2, outpkts: 0, inbytes: 0, outbytes: 0 };
    const status = { pid, total, drops: [], workers: [], devices: [] };
    return { at, status, services: [], health: [] } as unknown as Sample;
  };
  it('are differences, and begin anew with another director or after zeroing', () => {
    const trends = new Trends(2);
    for (const [at, conns] of [
      [0, 10],
      [2000, 30],
      [3000, 30],
      [4000, 35],
    ] as const)
      trends.take(sample(at, 1, conns));
    expect(trends.of('total')).toMatchObject({ conns: 5, inpkts: 10 });
    expect(trends.history('total')).toEqual([0, 10]);
    trends.take(sample(5000, 1, 3));
    expect(trends.of('total').conns).toBe(0);
    trends.take(sample(6000, 2, 1000));
    trends.take(sample(7000, 2, 1001));
    expect(trends.of('total').conns).toBe(1);
  });
});

it('the screen has exactly the lines of the terminal, at any size', () => {
  const rows = arrange(ROWS, { column: -1, descending: true }, '');
  for (const [width, height] of [
    [80, 24],
    [40, 7],
    [200, 60],
  ] as const) {
    const around = { sample: undefined, trends: new Trends(), trouble: 'gone' };
    const lines = screenOf(newState(), { table: { columns: COLUMNS, rows }, rows }, around, { width, height });
    expect(lines).toHaveLength(height);
    expect(lines.at(-1)).toEqual([{ text: 'gone', style: 'bad' }]);
    expect(lines[HEADING_LINE]![0]!.text).toHaveLength(width);
  }
});
