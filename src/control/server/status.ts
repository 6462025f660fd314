/**
 * The status of a director, read from shared memory: the answer for `ulvs status` and `ulvs stats`.
 */
import path from 'node:path';
import { LIVE_WORD } from '../../conntrack/entry.js';
import type { ServiceStatus } from '../../health/spec.js';
import { type Counters, FrameStat } from '../../stats/counters.js';
import { DROP_NAMES, DROP_TEXTS } from '../../stats/drops.js';
import type { DirectorStatus } from '../api/api.js';
import { version } from '../api/version.js';
import type { Config } from '../config/config.js';
import type { Settings } from '../config/director-config.js';
import type { Rules } from '../rules/rules.js';
import type { Forwarding } from './forwarding.js';

/** What the status is read from. */
export interface StatusSources {
  readonly forwarding: Forwarding;
  readonly rules: Rules;
  readonly counters: Counters;
  readonly config: Config;
  readonly helpers: Settings['helpers'];
  readonly tableId: string;
}

/** The present status. */
export function directorStatus(sources: StatusSources): DirectorStatus {
  const { forwarding, rules, counters, config, helpers, tableId } = sources;
  const services = rules.entries();
  const announce = forwarding.announce?.();
  const offload = forwarding.flows?.();
  return {
    version: version(),
    pid: process.pid,
    socket: config.socket,
    memory: process.memoryUsage.rss(),
    heap: heapOf(process.memoryUsage()),
    tableId,
    uptime: Math.floor(process.uptime()),
    config: config.file === '' ? '' : path.resolve(config.file),
    rulesOnly: config.file === '' || config.rulesFile === config.file,
    devices: forwarding.devices(),
    services: services.length,
    destinations: services.reduce((sum, { destinations }) => sum + destinations.length, 0),
    table: { used: forwarding.tables.reduce((sum, table) => sum + table[LIVE_WORD]!, 0), max: config.connections.max },
    workers: forwarding.tables.map((table, i) => {
      const loop = forwarding.loop?.(i);
      const census = forwarding.census?.(i);
      const counts = { used: table[LIVE_WORD]!, frames: forwarding.processed(i) };
      return { ...counts, ...(loop !== undefined && { loop }), ...(census !== undefined && { census }) };
    }),
    total: rules.total(),
    frames: Object.fromEntries(Object.entries(FrameStat).map(([name, at]) => [name, counters.values[at]!])),
    drops: dropsOf(counters),
    helpers,
    sync: { daemons: forwarding.sync.list(), counters: { ...forwarding.sync.stats } },
    health: healthOf(forwarding.health?.status ?? []),
    ...(announce !== undefined && { announce }),
    ...(offload !== undefined && { offload }),
  };
}

function heapOf({ heapUsed, external }: NodeJS.MemoryUsage): DirectorStatus['heap'] {
  return { used: heapUsed, external };
}

function healthOf(services: readonly ServiceStatus[]): DirectorStatus['health'] {
  const targets = services.flatMap((service) => service.targets).filter(({ checks }) => checks.length > 0);
  return { up: targets.filter(({ up }) => up).length, checked: targets.length };
}

/** Drop reasons that occurred. */
function dropsOf(counters: Counters): DirectorStatus['drops'] {
  return DROP_NAMES.map((name, i) => ({
    name,
    text: DROP_TEXTS[i]!,
    packets: counters.drops(i),
    bytes: counters.dropBytes(i),
  })).filter(({ packets }) => packets > 0);
}
