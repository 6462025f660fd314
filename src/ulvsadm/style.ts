/** The style of a listing: its layout and what it shows. */
import type { Draft } from './draft.js';

/** The layouts; if several are asked for, the first of this list is used. */
export const LAYOUTS = ['stats', 'rate', 'thresholds', 'persistent-conn', 'tun-info'] as const;
export type Layout = (typeof LAYOUTS)[number] | 'plain' | 'rules';

export interface Style {
  readonly layout: Layout;
  readonly numeric: boolean;
  readonly exact: boolean;
  readonly sorted: boolean;
  /** Show persistence engines in the connection listing. */
  readonly engines: boolean;
}

export function styleOf({ command, options }: Pick<Draft, 'command' | 'options'>): Style {
  const asked = LAYOUTS.find((layout) => options.has(layout));
  return {
    layout: command === 'save' ? 'rules' : (asked ?? 'plain'),
    numeric: options.has('numeric'),
    exact: options.has('exact'),
    sorted: !options.has('nosort'),
    engines: options.has('persistent-conn'),
  };
}
