/** What a director of two services says of itself, one destination down: the input of its metrics. */
import type { DirectorStatus, ServiceEntry, StatsEntry } from '../../../src/control/api/api.js';
import { newSyncStats } from '../../../src/control/sync/stats.js';
import { newDeviceStats } from '../../../src/device/device.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS } from '../../../src/service/config.js';
import type { LoopReading } from '../../../src/stats/loop-stats.js';

const STATS: StatsEntry = {
  conns: 3,
  inpkts: 30,
  outpkts: 40,
  inbytes: 3000,
  outbytes: 4000,
  cps: 0,
  inpps: 0,
  outpps: 0,
  inbps: 0,
  outbps: 0,
};
const DEST = {
  ...DESTINATION_DEFAULTS,
  address: '192.168.1.11',
  port: 8080,
  weight: 4,
  lastWeight: 4,
  activeConns: 2,
  inactConns: 1,
  persistConns: 0,
  stats: STATS,
};
export const SERVICES: ServiceEntry[] = [
  {
    ...SERVICE_DEFAULTS,
    scheduler: 'rr',
    key: { protocol: 6, address: '10.0.0.100', port: 80 },
    stats: STATS,
    destinations: [{ ...DEST, present: { weight: 0, absent: false, draining: false } }],
  },
  { ...SERVICE_DEFAULTS, scheduler: 'rr', key: { fwmark: 16, family: 4 }, stats: STATS, destinations: [DEST] },
];
const LOOP: LoopReading = {
  turns: 12,
  frames: 70,
  batches: [5, 0, 0, 6, 0, 0, 1, 0, 0, 0],
  busySeconds: 1.5,
  sampledFrames: 9,
  stageSeconds: [0.001, 0.002, 0.003, 0.004],
  latencies: [0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
  latencySum: 0.25,
};
export const STATUS: DirectorStatus = {
  version: '0.1.0',
  socket: '/run/ulvs/ulvs.sock',
  memory: 1e8,
  heap: { used: 0, external: 0 },
  pid: 1,
  uptime: 12,
  config: '/etc/ulvs/director.yaml',
  rulesOnly: false,
  tableId: 'x',
  devices: [{ name: 'eth0', kind: 'xdp', mac: '', mtu: 1500, addresses: [], stats: newDeviceStats() }],
  services: 2,
  destinations: 2,
  table: { used: 5, max: 1000 },
  workers: [{ used: 5, frames: 70, loop: LOOP }],
  total: STATS,
  frames: { in: 70, forwarded: 60, dropped: 10, out: 60, cookiesAccepted: 5 },
  drops: [{ name: 'noRoute', text: '', packets: 10, bytes: 600 }],
  helpers: { ftp: [] },
  health: { up: 0, checked: 1 },
  sync: { daemons: [], counters: { ...newSyncStats(), connectionsSent: 7 } },
} as DirectorStatus;
export const HEALTH = [
  {
    name: '-t 10.0.0.100:80',
    up: 0,
    quorum: 1,
    quorate: false,
    targets: [
      {
        slot: 0,
        name: '192.168.1.11:8080',
        up: false,
        share: 0,
        since: 5,
        changes: 1,
        checks: [
          {
            id: 'web',
            type: 'http' as const,
            up: false,
            text: 'a "quote"\nand a line',
            took: 12,
            passed: 3,
            failed: 4,
          },
        ],
      },
    ],
  },
];
