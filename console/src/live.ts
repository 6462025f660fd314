/**
 * The state of the director as the page has it: the last snapshot, and the rates of the last minutes.
 * The server sends snapshots; a page that is hidden receives them, too.
 */
import { useEffect, useState } from 'preact/hooks';
import { serviceName } from './text.js';
import type { Snapshot } from './types.js';

/** Moments that are kept for the plots. */
const KEPT = 300;

/** Values over time: `times` in seconds since 1970, a column for each name. */
export class History {
  readonly times: number[] = [];
  private readonly columns = new Map<string, number[]>();

  add(time: number, values: ReadonlyMap<string, number>): void {
    this.times.push(time);
    for (const [name, value] of values) this.column(name)[this.times.length - 1] = value;
    if (this.times.length <= KEPT) return;
    this.times.shift();
    for (const column of this.columns.values()) column.shift();
  }

  /** The values of a name; null where there was none. */
  of(name: string): (number | null)[] {
    const column = this.columns.get(name) ?? [];
    return this.times.map((_, i) => column[i] ?? null);
  }

  private column(name: string): number[] {
    const found = this.columns.get(name) ?? [];
    this.columns.set(name, found);
    return found;
  }
}

export interface LiveState {
  readonly snapshot: Snapshot | undefined;
  readonly history: History;
  /** Why there is nothing new; '' while there is. */
  readonly trouble: string;
}

/** Follows the director. */
export function useLive(): LiveState {
  const [history] = useState(() => new History());
  const [state, setState] = useState<LiveState>({ snapshot: undefined, history, trouble: '' });
  useEffect(() => {
    const source = new EventSource('/api/live');
    let before: Snapshot | undefined;
    source.onmessage = ({ data }) => {
      const snapshot = JSON.parse(data as string) as Snapshot;
      history.add(snapshot.at / 1000, valuesOf(snapshot, before));
      before = snapshot;
      setState({ snapshot, history, trouble: '' });
    };
    source.addEventListener('trouble', ({ data }) =>
      setState((old) => ({ ...old, trouble: JSON.parse(data as string) as string })),
    );
    source.onerror = () => setState((old) => ({ ...old, trouble: 'the console does not answer' }));
    return () => source.close();
  }, [history]);
  return state;
}

/** Rates of the totals, of services and of drop reasons. */
function valuesOf({ status, services, at }: Snapshot, before: Snapshot | undefined): Map<string, number> {
  const { total } = status;
  const values = new Map([
    ['inpps', total.inpps],
    ['outpps', total.outpps],
    ['cps', total.cps],
    ['inbps', total.inbps],
    ['outbps', total.outbps],
  ]);
  for (const service of services) {
    values.set(`${serviceName(service)} in`, service.stats.inpps);
    values.set(`${serviceName(service)} out`, service.stats.outpps);
  }
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  for (const { name, packets } of seconds > 0 ? status.drops : []) {
    const old = before?.status.drops.find((one) => one.name === name)?.packets ?? 0;
    values.set(`drop ${name}`, Math.max(0, packets - old) / seconds);
  }
  return values;
}
