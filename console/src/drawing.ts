/**
 * The drawing of a director: what it knows, as boxes and wires.
 *
 *     clients ─► director [ service, service, … ] ─┬──────────────► real servers
 *        ▲                                         └─► router ──► real servers
 *        └── replies of DR and tunnels do not pass it ────┘
 *
 * A wire is as thick as its rate. Only the busiest real servers have a box.
 */
import { serviceName, short } from './text.js';
import type { DestinationEntry, NextHop, ServiceEntry } from './types.js';
import { isTunnel, Ways } from './ways.js';

export type Tone = 'good' | 'warn' | 'bad' | 'idle' | 'plain';

export interface Place {
  readonly id: string;
  readonly kind: 'client' | 'director' | 'service' | 'server' | 'host' | 'segment';
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly title: string;
  readonly sub: string;
  readonly tone: Tone;
}

export interface Wire {
  readonly id: string;
  readonly path: string;
  readonly width: number;
  readonly tone: Tone;
  readonly dashed: boolean;
  readonly label: string;
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly places: readonly Place[];
  readonly wires: readonly Wire[];
  /** What is not drawn, in words; '': nothing. */
  readonly left: string;
}

/** What a drawing is made of. */
export interface Scene {
  readonly services: readonly ServiceEntry[];
  readonly devices: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  /** To real servers; absent: not known. */
  readonly routes?: readonly NextHop[];
}

const WIDTH = 960;
/** More of it where routers are drawn. */
const ROUTERS = 180;
const MOST = 14;
const ROW = 62;
const TOP = 56;

/** A real server's box; several services may use it. */
interface Server {
  readonly name: string;
  readonly of: readonly { readonly service: ServiceEntry; readonly dest: DestinationEntry }[];
  readonly rate: number;
}

export function directorDrawing({ services, devices, routes = [] }: Scene): Drawing {
  const shown = [...services].sort((a, b) => b.stats.inpps - a.stats.inpps).slice(0, MOST);
  const servers = serversOf(services);
  const drawn = servers.slice(0, MOST);
  const rows = Math.max(shown.length, drawn.length, 2);
  const inner = rows * ROW;
  const height = TOP + inner + 56;
  const at = (count: number, i: number) => TOP + 8 + (inner * (i + 0.5)) / count - 24;
  const client: Place = box('client', 'client', 20, TOP + inner / 2 - 20, 130, 'clients', ratesOf(services));
  const boxes = shown.map((service, i) => serviceBox(service, at(shown.length, i)));
  const ways = new Ways(
    routes,
    drawn.map(({ name }) => name),
  );
  const shift = ways.gateways.length > 0 ? ROUTERS : 0;
  const machines = drawn.map((server, i) => serverBox(server, 720 + shift, at(drawn.length, i)));
  const director: Place = {
    ...box('director', 'director', 300, 12, 260, 'director', devices.map(deviceText).join('  ')),
    h: height - 40,
  };
  const places = [director, client, ...boxes, ...machines, ...routerBoxes(ways, machines)];
  const wires = wiresOf(places, shown, drawn, ways);
  if (isDirect(shown)) wires.push(directReplies(client, shift, height));
  const left = [more(services.length - shown.length, 'services'), more(servers.length - drawn.length, 'real servers')];
  return { width: WIDTH + shift, height, places, wires, left: left.filter(Boolean).join(', ') };
}

function more(count: number, what: string): string {
  return count > 0 ? `${short(count)} more ${what} are not drawn` : '';
}

function serversOf(services: readonly ServiceEntry[]): Server[] {
  const found = new Map<string, { service: ServiceEntry; dest: DestinationEntry }[]>();
  for (const service of services)
    for (const dest of service.destinations) {
      const name = dest.address;
      found.set(name, [...(found.get(name) ?? []), { service, dest }]);
    }
  const all = [...found].map(([name, of]) => ({ name, of, rate: sum(of.map(({ dest }) => dest.stats.inpps)) }));
  const byRate = all.sort((a, b) => b.rate - a.rate).slice(0, MOST);
  // In the order of their names, so that boxes do not jump when rates change.
  byRate.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return [...byRate, ...all.slice(MOST)];
}

function box(id: string, kind: Place['kind'], x: number, y: number, w: number, title: string, sub: string): Place {
  return { id, kind, x, y, w, h: 48, title, sub, tone: 'plain' };
}

function serviceBox(service: ServiceEntry, y: number): Place {
  const name = serviceName(service);
  const place = box(`service ${name}`, 'service', 320, y, 220, name, `${service.scheduler}, ${ratesOf([service])}`);
  return { ...place, tone: service.destinations.some((one) => weightOf(one) > 0) ? 'good' : 'bad' };
}

function serverBox({ name, of }: Server, x: number, y: number): Place {
  const ports = [...new Set(of.map(({ dest }) => dest.port))].sort((a, b) => a - b);
  const words = [...new Set(of.map(({ dest }) => stateOf(dest)))].join(', ');
  const active = sum(of.map(({ dest }) => dest.activeConns));
  const sub = `:${ports.slice(0, 3).join(' :')} ${words}, ${short(active)} active`;
  return {
    ...box(`server ${name}`, 'server', x, y, 220, name, sub),
    tone: worst(of.map(({ dest }) => toneOf(dest))),
  };
}

function worst(tones: readonly Tone[]): Tone {
  return (['bad', 'warn', 'idle', 'good'] as const).find((tone) => tones.includes(tone)) ?? 'plain';
}

/** The weight in force. */
export function weightOf(dest: DestinationEntry): number {
  return dest.present?.weight ?? dest.weight;
}

/** The state of a destination in words: colour alone would not do. */
export function stateOf(dest: DestinationEntry): string {
  const words = { good: 'serves', warn: 'drains', bad: 'down', idle: 'weight 0', plain: '' };
  return words[toneOf(dest)];
}

export function toneOf(dest: DestinationEntry): Tone {
  if (dest.present?.draining) return 'warn';
  if (dest.present?.absent || (weightOf(dest) === 0 && dest.weight > 0)) return 'bad';
  return weightOf(dest) === 0 ? 'idle' : 'good';
}

function ratesOf(services: readonly ServiceEntry[]): string {
  return `${short(sum(services.map(({ stats }) => stats.inpps)))} pps`;
}

function deviceText({ name, addresses }: Scene['devices'][number]): string {
  return `${name} ${addresses[0] ?? ''}`.trim();
}

/** Each router at the middle height of the real servers behind it. */
function routerBoxes({ gateways }: Ways, machines: readonly Place[]): Place[] {
  return gateways.map(({ id, via, behind }) => {
    const heights = machines.filter((one) => behind.includes(one.title)).map(({ y }) => y);
    return box(id, 'host', 640, sum(heights) / heights.length, 140, 'router', via);
  });
}

function wiresOf(places: readonly Place[], services: readonly ServiceEntry[], servers: readonly Server[], ways: Ways) {
  const place = (id: string) => places.find((one) => one.id === id)!;
  const wires = new Wires(Math.max(1, ...services.map(({ stats }) => stats.inpps + stats.outpps)));
  for (const service of services) {
    const box = place(`service ${serviceName(service)}`);
    wires.add(place('client'), box, service.stats.inpps + service.stats.outpps, box.tone);
    for (const { name, of } of servers)
      for (const { dest } of of.filter((one) => one.service === service)) {
        const end = place(`server ${name}`);
        const router = ways.before(name);
        const rate = dest.stats.inpps + dest.stats.outpps;
        const tunnel = isTunnel(dest.method);
        if (router !== undefined) wires.add(box, place(router.id), rate, end.tone, '', tunnel);
        wires.add(router === undefined ? box : place(router.id), end, rate, end.tone, ways.label(dest), tunnel);
      }
  }
  return wires.all();
}

/** Wires by their ends: several services may use the same one behind a router. */
class Wires {
  private readonly rates = new Map<string, number>();
  private readonly found = new Map<string, Wire>();

  /** `largest`: the rate of the thickest wire. */
  constructor(private readonly largest: number) {}

  add(from: Place, to: Place, rate: number, tone: Tone, label = '', dashed = false): void {
    const id = `${from.id}>${to.id}`;
    const sum = (this.rates.get(id) ?? 0) + rate;
    this.rates.set(id, sum);
    const width = 1.5 + 10 * Math.sqrt(Math.min(1, sum / this.largest));
    const [x1, y1, x2, y2] = [from.x + from.w, from.y + from.h / 2, to.x, to.y + to.h / 2];
    const bend = (x2 - x1) / 2;
    const path = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    this.found.set(id, { id, path, width, tone, dashed, label, x: x2 - 10 - 3 * label.length, y: y2 - 6 });
  }

  all(): Wire[] {
    return [...this.found.values()];
  }
}

function isDirect(services: readonly ServiceEntry[]): boolean {
  return services.some(({ destinations }) =>
    destinations.some(({ method }) => method === 'gatewaying' || method === 'ipip'),
  );
}

/** Replies that do not pass the director, below everything. */
function directReplies(client: Place, shift: number, height: number): Wire {
  const [x, y, bottom] = [client.x + client.w / 2, client.y + client.h, height - 14];
  const path = `M${830 + shift} ${height - 44} C${830 + shift} ${bottom} ${800 + shift} ${bottom} ${720 + shift} ${bottom} L190 ${bottom} C110 ${bottom} ${x} ${bottom - 20} ${x} ${y + 6}`;
  const label = 'replies of DR and tunnels go straight to the clients';
  return { id: 'replies', path, width: 1.5, tone: 'idle', dashed: true, label, x: 570, y: bottom - 6 };
}

function sum(values: readonly number[]): number {
  return values.reduce((one, other) => one + other, 0);
}
