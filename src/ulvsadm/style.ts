import type { Draft } from './draft.js';

/** How a listing is printed; of several layouts asked for, the first of this list is taken. */
export const LAYOUTS = ['stats', 'rate', 'thresholds', 'persistent-conn', 'tun-info'] as const;
export type Layout = (typeof LAYOUTS)[number] | 'plain' | 'rules';

export interface Style {
  readonly layout: Layout;
  readonly numeric: boolean;
  readonly exact: boolean;
  readonly sorted: boolean;
  /** Persistence engines in the connection listing. */
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
