/**
 * The pages of `ulvs top` as tables: services with destinations, drops, workers and devices,
 * connections.
 */
import type { ConnectionEntry, DestinationEntry, ServiceEntry } from '../../control/api/api.js';
import type { TargetStatus } from '../../health/spec.js';
import { endpoint, SCTP, TCP, UDP } from '../../service/config.js';
import {
  destinationRow,
  deviceRow,
  dropRow,
  type Rates,
  type Sample,
  serviceRow,
  type Trends,
  workerRow,
} from './sample.js';
import { count, type Row, type Table, type Tone, text } from './table.js';
import { short, sparkline } from './units.js';

const SPARK = 12;
const RATE_COLUMNS = [
  count('conn/s', 7),
  count('pkt/s in', 9),
  count('pkt/s out', 10),
  count('B/s in', 7),
  count('B/s out', 8),
];

/** Services with their destinations. */
export function servicesPage({ services, health }: Sample, trends: Trends): Table {
  const targets = new Map(
    health.flatMap(({ name, targets: all }) => all.map((one) => [`${name} ${one.name}`, one] as const)),
  );
  const columns = [
    text('service, real server', 0),
    text('state', 9),
    count('weight', 7),
    count('active', 7),
    count('inactive', 9),
    ...RATE_COLUMNS,
    text(' history', SPARK + 2),
  ];
  return { columns, rows: services.map((service) => serviceOf(service, targets, trends)) };
}

function serviceOf(service: ServiceEntry, targets: ReadonlyMap<string, TargetStatus>, trends: Trends): Row {
  const id = serviceRow(service);
  const below = service.destinations.map((one) => destinationOf(service, one, targets, trends));
  const sum = (of: (one: DestinationEntry) => number) => service.destinations.reduce((all, one) => all + of(one), 0);
  const usable = service.destinations.filter((one) => weightOf(one) > 0).length;
  const active = sum(({ activeConns }) => activeConns);
  const inactive = sum(({ inactConns }) => inactConns);
  const { cells, keys } = rateCells(id, trends);
  return {
    id,
    cells: [
      `${id} ${service.scheduler}`,
      `${usable}/${below.length} used`,
      '',
      short(active),
      short(inactive),
      ...cells,
    ],
    keys: [id, usable, 0, active, inactive, ...keys],
    tone: usable === 0 ? 'bad' : 'head',
    below,
  };
}

function destinationOf(
  service: ServiceEntry,
  one: DestinationEntry,
  targets: ReadonlyMap<string, TargetStatus>,
  trends: Trends,
): Row {
  const id = destinationRow(service, one);
  const name = endpoint(one.address, one.port);
  const [state, tone] = stateOf(one, targets.get(id));
  const { cells, keys } = rateCells(id, trends);
  const weight = weightOf(one);
  return {
    id,
    cells: [
      `  ${name} ${one.method}`,
      state,
      weight === one.weight ? `${weight}` : `${weight} of ${one.weight}`,
      short(one.activeConns),
      short(one.inactConns),
      ...cells,
    ],
    keys: [name, state, weight, one.activeConns, one.inactConns, ...keys],
    tone,
  };
}

/** The weight in force. */
export function weightOf({ weight, present }: DestinationEntry): number {
  return present === undefined ? weight : present.absent ? 0 : present.weight;
}

function stateOf(one: DestinationEntry, target: TargetStatus | undefined): [string, Tone] {
  if (one.present?.draining) return ['draining', 'warn'];
  if (target !== undefined && target.checks.length > 0 && !target.up) return ['down', 'bad'];
  if (weightOf(one) === 0) return ['quiesced', 'warn'];
  return target === undefined ? ['', 'plain'] : ['up', 'good'];
}

function rateCells(id: string, trends: Trends): { cells: string[]; keys: number[] } {
  const { conns, inpkts, outpkts, inbytes, outbytes }: Rates = trends.of(id);
  const keys = [conns, inpkts, outpkts, inbytes, outbytes];
  return {
    cells: [...keys.map(short), ` ${sparkline(trends.history(id), SPARK)}`],
    keys: [...keys, inpkts + outpkts],
  };
}

/** Drop reasons that occurred. */
export function dropsPage({ status }: Sample, trends: Trends): Table {
  const columns = [
    text('reason', 22),
    count('frames', 14),
    count('frames/s', 10),
    text(' history', SPARK + 2),
    text('meaning', 0),
  ];
  const rows = status.drops.map(({ name, text: meaning, packets }): Row => {
    const rate = trends.single(dropRow(name));
    const spark = ` ${sparkline(trends.history(dropRow(name)), SPARK)}`;
    return {
      id: dropRow(name),
      cells: [name, `${packets}`, short(rate), spark, meaning],
      keys: [name, packets, rate, rate, meaning],
      tone: rate > 0 ? 'warn' : 'plain',
    };
  });
  return { columns, rows };
}

/** Workers, then devices. */
export function workersPage({ status }: Sample, trends: Trends): Table {
  const columns = [
    text('worker or device', 0),
    count('frames in', 16),
    count('frames/s in', 12),
    count('frames/s out', 13),
    count('lost/s', 8),
    count('table lines', 12),
    text(' history', SPARK + 2),
  ];
  const workers = status.workers.map(({ used, frames }, i): Row => {
    const rate = trends.single(workerRow(i));
    return {
      id: workerRow(i),
      cells: [`worker ${i}`, `${frames}`, short(rate), '', '', `${used}`, spark(workerRow(i), trends)],
      keys: [`worker ${i}`, frames, rate, 0, 0, used, rate],
      tone: 'plain',
    };
  });
  return { columns, rows: [...workers, ...status.devices.map((one) => deviceOf(one, trends))] };
}

function deviceOf({ name, kind, stats }: Sample['status']['devices'][number], trends: Trends): Row {
  const [rx, tx, lost] = (['rx', 'tx', 'rxDropped'] as const).map((way) => trends.single(deviceRow(name, way)));
  const history = spark(deviceRow(name, 'rx'), trends);
  return {
    id: deviceRow(name, 'rx'),
    cells: [`${name} (${kind})`, `${stats.rxPackets}`, short(rx!), short(tx!), short(lost!), '', history],
    keys: [name, stats.rxPackets, rx!, tx!, lost!, 0, rx!],
    tone: lost! > 0 ? 'bad' : 'plain',
  };
}

function spark(id: string, trends: Trends): string {
  return ` ${sparkline(trends.history(id), SPARK)}`;
}

const PROTOCOLS: Readonly<Record<number, string>> = { [TCP]: 'TCP', [UDP]: 'UDP', [SCTP]: 'SCTP', 0: 'IP' };

/** Connections of one destination or service. */
export function connectionsPage(connections: readonly ConnectionEntry[]): Table {
  const columns = [
    text('proto', 6),
    text('client', 0),
    text('virtual service', 26),
    text('real server', 26),
    text('state', 12),
    count('ends in', 9),
  ];
  return { columns, rows: connections.map(connectionOf) };
}

function connectionOf(one: ConnectionEntry): Row {
  const name = PROTOCOLS[one.protocol] ?? `${one.protocol}`;
  const client = endpoint(one.caddr, one.cport);
  const virtual = endpoint(one.vaddr, one.vport);
  const server = endpoint(one.daddr, one.dport);
  return {
    id: `${name} ${client} ${virtual} ${server}`,
    cells: [name, client, virtual, server, one.state, `${one.expires} s`],
    keys: [name, client, virtual, server, one.state, one.expires],
    tone: 'plain',
  };
}
