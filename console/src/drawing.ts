/**
 * The drawing of a director: what it knows, as boxes and wires.
 *
 *     clients ─► director [ service, service, … ] ─► real servers
 *        ▲                                                │
 *        └── replies of DR and tunnels do not pass it ────┘
 *
 * A wire is as thick as its rate. Only the busiest real servers have a box.
 */
import { METHODS, serviceName, short } from './text.js';
import type { DestinationEntry, ServiceEntry } from './types.js';

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
}

const WIDTH = 960;
const MOST = 14;
const ROW = 62;
const TOP = 56;

/** A real server's box; several services may use it. */
interface Server {
  readonly name: string;
  readonly of: readonly { readonly service: ServiceEntry; readonly dest: DestinationEntry }[];
  readonly rate: number;
}

export function directorDrawing({ services, devices }: Scene): Drawing {
  const shown = [...services].sort((a, b) => b.stats.inpps - a.stats.inpps).slice(0, MOST);
  const servers = serversOf(services);
  const drawn = servers.slice(0, MOST);
  const rows = Math.max(shown.length, drawn.length, 2);
  const inner = rows * ROW;
  const height = TOP + inner + 56;
  const at = (count: number, i: number) => TOP + 8 + (inner * (i + 0.5)) / count - 24;
  const client: Place = box('client', 'client', 20, TOP + inner / 2 - 20, 130, 'clients', ratesOf(services));
  const boxes = shown.map((service, i) => serviceBox(service, at(shown.length, i)));
  const machines = drawn.map((server, i) => serverBox(server, at(drawn.length, i)));
  const director: Place = {
    ...box('director', 'director', 300, 12, 260, 'director', devices.map(deviceText).join('  ')),
    h: height - 40,
  };
  const places = [director, client, ...boxes, ...machines];
  const wires = wiresOf(places, shown, drawn, height);
  const left = [more(services.length - shown.length, 'services'), more(servers.length - drawn.length, 'real servers')];
  return { width: WIDTH, height, places, wires, left: left.filter(Boolean).join(', ') };
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

function serverBox({ name, of }: Server, y: number): Place {
  const ports = [...new Set(of.map(({ dest }) => dest.port))].sort((a, b) => a - b);
  const words = [...new Set(of.map(({ dest }) => stateOf(dest)))].join(', ');
  const active = sum(of.map(({ dest }) => dest.activeConns));
  const sub = `:${ports.slice(0, 3).join(' :')} ${words}, ${short(active)} active`;
  return {
    ...box(`server ${name}`, 'server', 720, y, 220, name, sub),
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

function wiresOf(
  places: readonly Place[],
  services: readonly ServiceEntry[],
  servers: readonly Server[],
  height: number,
) {
  const place = (id: string) => places.find((one) => one.id === id);
  const largest = Math.max(1, ...services.map(({ stats }) => stats.inpps + stats.outpps));
  const width = (rate: number) => 1.5 + 10 * Math.sqrt(Math.min(1, rate / largest));
  const wires: Wire[] = [];
  for (const service of services) {
    const to = place(`service ${serviceName(service)}`)!;
    const rate = service.stats.inpps + service.stats.outpps;
    wires.push(wire(place('client')!, to, width(rate), to.tone, ''));
    for (const { name, of } of servers)
      for (const { dest } of of.filter((one) => one.service === service)) {
        const end = place(`server ${name}`)!;
        wires.push(wire(to, end, width(dest.stats.inpps + dest.stats.outpps), end.tone, METHODS[dest.method] ?? ''));
      }
  }
  const isDirect = services.some(({ destinations }) =>
    destinations.some(({ method }) => method === 'gatewaying' || method === 'ipip'),
  );
  return isDirect ? [...wires, directReplies(place('client')!, height)] : wires;
}

function wire(from: Place, to: Place, width: number, tone: Tone, label: string): Wire {
  const [x1, y1, x2, y2] = [from.x + from.w, from.y + from.h / 2, to.x, to.y + to.h / 2];
  const bend = (x2 - x1) / 2;
  const path = `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
  return { id: `${from.id}>${to.id}`, path, width, tone, dashed: false, label, x: x2 - 34, y: y2 - 6 };
}

/** Replies that do not pass the director, below everything. */
function directReplies(client: Place, height: number): Wire {
  const [x, y, bottom] = [client.x + client.w / 2, client.y + client.h, height - 14];
  const path = `M830 ${height - 44} C830 ${bottom} 800 ${bottom} 720 ${bottom} L190 ${bottom} C110 ${bottom} ${x} ${bottom - 20} ${x} ${y + 6}`;
  const label = 'replies of DR and tunnels go straight to the clients';
  return { id: 'replies', path, width: 1.5, tone: 'idle', dashed: true, label, x: 570, y: bottom - 6 };
}

function sum(values: readonly number[]): number {
  return values.reduce((one, other) => one + other, 0);
}

/** The places that a packet passes: before the director, in it, and behind it. */
export interface Route {
  readonly before: readonly string[];
  readonly inside: string;
  readonly behind: readonly string[];
}

/** Finds the ids of the boxes of a packet's service and destination. */
export function routeOf(
  drawing: Drawing,
  packet: { service: string; destination: string; side: string; sent: boolean },
): Route {
  const known = (id: string) => drawing.places.some((one) => one.id === id);
  const service = [
    `service ${packet.service}`,
    ...['TCP', 'UDP', 'SCTP'].map((name) => `service ${name} ${packet.service}`),
  ].find(known);
  const address = packet.destination.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const server = [`server ${address}`].filter(known);
  const inside = service ?? 'director';
  if (packet.side === 'destination') return { before: server, inside, behind: packet.sent ? ['client'] : [] };
  return { before: ['client'], inside, behind: packet.sent && packet.side === 'client' ? server : [] };
}
