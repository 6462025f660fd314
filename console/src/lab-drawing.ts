/**
 * The drawing of a lab: every network namespace as a box, every segment as a bar. Rows follow the
 * way from the client: hosts, the segments behind them, the hosts on those.
 */
import type { Drawing, Place, Tone, Wire } from './drawing.js';
import type { Route } from './stages.js';
import type { LabDrawing } from './types.js';

type LabHost = LabDrawing['hosts'][number];

const WIDTH = 960;
const ROW = 92;
const BOX = 172;

/** `tones`: the condition of a host, by its name. */
export function labDrawing(lab: LabDrawing, tones: ReadonlyMap<string, Tone>): Drawing {
  const rows = rowsOf(lab);
  const places: Place[] = rows.flatMap(({ names, isSegments }, row) =>
    names.map((name, i) => {
      const host = lab.hosts.find((one) => one.name === name)!;
      return isSegments
        ? bar(name, row, i, names.length)
        : hostBox(host, row, i, names.length, tones.get(name) ?? 'plain');
    }),
  );
  const wires = lab.hosts.flatMap((host) =>
    host.ports.map(({ dev, segment }, i) => plug(places, host, dev, segment, i)),
  );
  return { width: WIDTH, height: rows.length * ROW + 20, places, wires, left: '' };
}

interface Row {
  readonly names: readonly string[];
  readonly isSegments: boolean;
}

/** Hosts and segments by their distance from the client. */
function rowsOf({ hosts }: LabDrawing): Row[] {
  const rows: Row[] = [];
  const seen = new Set<string>();
  let names = hosts.filter(({ role }) => role === 'client').map(({ name }) => name);
  for (let isSegments = false; names.length > 0; isSegments = !isSegments) {
    rows.push({ names, isSegments });
    for (const name of names) seen.add(`${isSegments} ${name}`);
    const next = isSegments
      ? hosts.filter(({ ports }) => ports.some(({ segment }) => names.includes(segment))).map(({ name }) => name)
      : hosts.filter(({ name }) => names.includes(name)).flatMap(({ ports }) => ports.map(({ segment }) => segment));
    names = [...new Set(next)].filter((name) => !seen.has(`${!isSegments} ${name}`));
  }
  return rows;
}

function hostBox({ name, role, ports }: LabHost, row: number, i: number, count: number, tone: Tone): Place {
  const x = (WIDTH * (i + 0.5)) / count - BOX / 2;
  const addresses = ports.flatMap((port) => port.addresses).map((one) => one.split('/')[0]!);
  const sub = addresses.slice(0, 2).join(' ') || role;
  return { id: `host ${name}`, kind: 'host', x, y: row * ROW + 20, w: BOX, h: 56, title: name, sub, tone };
}

function bar(name: string, row: number, i: number, count: number): Place {
  const w = WIDTH / count - 60;
  const x = (WIDTH / count) * i + 30;
  return {
    id: `segment ${name}`,
    kind: 'segment',
    x,
    y: row * ROW + 42,
    w,
    h: 12,
    title: name,
    sub: '',
    tone: 'plain',
  };
}

function plug(places: readonly Place[], { name, ports }: LabHost, dev: string, segment: string, i: number): Wire {
  const host = places.find(({ id }) => id === `host ${name}`)!;
  const end = places.find(({ id }) => id === `segment ${segment}`)!;
  const x = host.x + (host.w * (i + 1)) / (ports.length + 1);
  const [y1, y2] = host.y < end.y ? [host.y + host.h, end.y] : [host.y, end.y + end.h];
  const to = Math.min(Math.max(x, end.x + 6), end.x + end.w - 6);
  const path = `M${x} ${y1} L${to} ${y2}`;
  return {
    id: `${name} ${dev}`,
    path,
    width: 2,
    tone: 'plain',
    dashed: false,
    label: dev,
    x: (x + to) / 2 + 22,
    y: (y1 + y2) / 2 + 4,
  };
}

/** A frame's MAC addresses, from its hex. */
function macs(hex: string): { source: string; target: string } {
  const mac = (at: number) => (hex.slice(at, at + 12).match(/../g) ?? []).join(':');
  return { target: mac(0), source: mac(12) };
}

/** The hosts that a packet passes, as far as its frames and addresses say. */
export function labRoute(
  lab: LabDrawing,
  packet: { hex: string; source: string; out: readonly { hex: string; originated: boolean }[]; target: string },
): Route {
  const byMac = (mac: string) => lab.hosts.find(({ ports }) => ports.some((port) => port.mac === mac))?.name;
  const byAddress = (address: string) => lab.hosts.find(({ name }) => owns(lab, name, address))?.name;
  const director = lab.hosts.find(({ role }) => role === 'director')?.name ?? '';
  const from = byMac(macs(packet.hex).source);
  const first = byAddress(packet.source) ?? from ?? director;
  const before = [...new Set([...between(lab, first, from ?? director), ...between(lab, from ?? first, director)])];
  const sent = packet.out.find(({ originated }) => !originated);
  const next = sent === undefined ? undefined : byMac(macs(sent.hex).target);
  const behind = next === undefined ? [] : between(lab, director, next).slice(1);
  const target = sent === undefined ? '' : addressIn(sent.hex);
  // In LVS-DR several hosts have the VIP: the one that got the frame is meant.
  const last = next !== undefined && owns(lab, next, target) ? next : byAddress(target);
  const rest = next === undefined || last === undefined || last === next ? [] : between(lab, next, last).slice(1);
  return {
    before: before.filter((id) => id !== `host ${director}`),
    inside: `host ${director}`,
    behind: [...behind, ...rest],
  };
}

/** The host has the address. */
function owns({ hosts }: LabDrawing, name: string, address: string): boolean {
  const ports = hosts.find((one) => one.name === name)?.ports ?? [];
  return ports.some(({ addresses }) => addresses.some((one) => one.split('/')[0] === address));
}

/** The destination address of an IPv4 frame, of the inner packet of a tunnel. */
function addressIn(hex: string): string {
  if (hex.slice(24, 28) !== '0800') return '';
  return (hex.slice(60, 68).match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
}

/** The way from one host to another: hosts and the segments between them. */
function between({ hosts }: LabDrawing, from: string, to: string): string[] {
  const ways = new Map<string, string[]>([[from, [`host ${from}`]]]);
  for (const [name, way] of ways) {
    if (name === to) return way;
    for (const { segment } of hosts.find((one) => one.name === name)?.ports ?? [])
      for (const other of hosts.filter(({ ports }) => ports.some((port) => port.segment === segment)))
        if (!ways.has(other.name)) ways.set(other.name, [...way, `segment ${segment}`, `host ${other.name}`]);
  }
  return [`host ${from}`, `host ${to}`];
}
