/**
 * `ulvs top` while it runs: samples of the director come in at an interval, keys and clicks in
 * between, and each of them draws the screen anew.
 *
 *     director ─ sample ─► table ─┐
 *     keys, mouse ─► state ───────┴─► view ─► terminal
 */
import type { AdminClient, ConnectionEntry, DestinationEntry, ServiceEntry } from '../../control/api/api.js';
import { ask } from '../../control/api/ask.js';
import { destinationOf } from '../../control/rules/diff.js';
import { connectionsOf, type Whose } from './connections.js';
import { click, type Place, wheel } from './mouse.js';
import { connectionsPage, dropsPage, servicesPage, workersPage } from './pages.js';
import { destinationRow, type Sample, serviceRow, Trends, takeSample } from './sample.js';
import { type Effect, moved, newState, press, type Shown, type Step } from './state.js';
import { arrange, type Table } from './table.js';
import { Terminal } from './terminal.js';
import { ABOVE, screenOf } from './view.js';

const EMPTY: Table = { columns: [], rows: [] };

/** Asks `client` each `intervalMs` until the user quits. */
export class Top {
  private state = newState();
  private sample: Sample | undefined;
  private readonly trends = new Trends();
  private connections: readonly ConnectionEntry[] = [];
  private trouble = '';
  private timer: NodeJS.Timeout | undefined;
  private readonly terminal = new Terminal({
    key: (name) => this.step(press(this.state, name, this.shown())),
    click: (place) => this.clicked(place),
    wheel: (up) => this.step({ state: wheel(this.state, up, this.shown()) }),
    resized: () => this.step({ state: moved(this.state, 0, this.shown()) }),
  });
  private end: () => void = () => {};
  /** The terminal is as it was: an answer that comes late draws nothing. */
  private hasEnded = false;

  constructor(
    private readonly client: AdminClient,
    private readonly intervalMs: number,
  ) {}

  /** Resolves when the user quits; the terminal is then as it was. */
  async run(): Promise<void> {
    const ended = new Promise<void>((resolve) => {
      this.end = resolve;
    });
    for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) process.once(signal, () => this.end());
    try {
      void this.refresh();
      await ended;
    } finally {
      this.hasEnded = true;
      clearTimeout(this.timer);
      this.end = () => {};
      this.terminal.close();
    }
  }

  /** One sample, then the next after the interval, also when the director has gone. */
  private async refresh(): Promise<void> {
    try {
      if (!this.state.paused || this.sample === undefined) await this.look();
      this.trouble = '';
    } catch (error) {
      this.trouble = (error as Error).message;
    }
    if (this.hasEnded) return;
    this.draw();
    this.timer = setTimeout(() => void this.refresh(), this.intervalMs);
  }

  private async look(): Promise<void> {
    const sample = await takeSample(this.client, performance.now());
    this.trends.take(sample);
    this.sample = sample;
    await this.readConnections();
  }

  private async readConnections(): Promise<void> {
    const whose = this.state.page === 'connections' ? this.find(this.state.drilled) : undefined;
    if (whose === undefined) return;
    const { connections, isAll } = await connectionsOf(this.client, whose);
    this.connections = connections;
    if (!isAll) this.state = { ...this.state, message: `the first ${connections.length} that were found` };
  }

  private find(id: string): Whose | undefined {
    for (const service of this.sample?.services ?? []) {
      if (serviceRow(service) === id) return { service, destination: undefined };
      const destination = service.destinations.find((one) => destinationRow(service, one) === id);
      if (destination !== undefined) return { service, destination };
    }
    return undefined;
  }

  private clicked(place: Place): void {
    this.step(click(this.state, place, this.shown(), this.table().columns, this.terminal.size.width));
  }

  private step({ state, effect }: Step): void {
    this.state = state;
    if (effect !== undefined) void this.do(effect);
    this.draw();
  }

  private async do(effect: Effect): Promise<void> {
    if (effect.kind === 'quit') return this.end();
    try {
      if (effect.kind === 'weight') await this.setWeight(effect.id, effect.weight);
      else await this.drill();
    } catch (error) {
      this.state = { ...this.state, message: (error as Error).message };
    }
    this.draw();
  }

  private async drill(): Promise<void> {
    this.connections = [];
    await this.readConnections();
  }

  /** The destination as it is now, with another weight. */
  private async setWeight(id: string, weight: number): Promise<void> {
    this.sample = await takeSample(this.client, performance.now());
    const { service, destination } = this.find(id) ?? {};
    if (service === undefined || destination === undefined) throw new Error(`${id} is not there any more`);
    await ask(this.client, edit(service, destination, weight));
    this.state = { ...this.state, message: `${id} has weight ${weight}` };
    await this.look();
  }

  private table(): Table {
    const { sample, trends, state } = this;
    if (sample === undefined) return EMPTY;
    switch (state.page) {
      case 'services':
        return servicesPage(sample, trends);
      case 'drops':
        return dropsPage(sample, trends);
      case 'workers':
        return workersPage(sample, trends);
      case 'connections':
        return connectionsPage(this.connections);
    }
  }

  private shown(): Shown {
    const { columns, rows } = this.table();
    const { sort, page, filter } = this.state;
    return {
      rows: arrange(rows, sort[page], filter),
      columns: columns.length,
      height: this.terminal.size.height - ABOVE - 1,
      weight: (id) => this.find(id)?.destination?.weight,
    };
  }

  private draw(): void {
    if (this.hasEnded) return;
    const table = this.table();
    const { rows } = this.shown();
    const { sample, trends, trouble } = this;
    this.terminal.draw(screenOf(this.state, { table, rows }, { sample, trends, trouble }, this.terminal.size));
  }
}

function edit({ key }: ServiceEntry, destination: DestinationEntry, weight: number) {
  return { op: 'editDestination', key, destination: { ...destinationOf(destination), weight } } as const;
}
