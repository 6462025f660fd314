/**
 * The control protocol as types: requests of ulvsadm and ulvs to a director, over the control
 * socket or in process, and their replies. Everything is plain JSON. `Errno` is what the kernel
 * would return; ulvsadm makes sentences of it.
 */
import type { TraceRecord } from '../../dataplane/trace/trace.js';
import type { DeviceStats } from '../../device/device.js';
import type { ServiceStatus } from '../../health/spec.js';
import type { DestinationConfig, ServiceConfig, ServiceKey } from '../../service/config.js';
import type { Sysctls } from '../../service/sysctl.js';
import type { LoopReading } from '../../stats/loop-stats.js';
import type { FrameCensus } from '../engine/frame-census.js';
import type { SyncDaemon, SyncOptions, SyncRole } from '../sync/daemon.js';
import type { SyncStats } from '../sync/stats.js';
import type { CHANGES } from './changes.js';
import type { ConnectionEntry, FoundConnection } from './connection.js';

export type { ConnectionEntry, FoundConnection } from './connection.js';

export type Errno = 'EEXIST' | 'ENOENT' | 'ESRCH' | 'EPERM' | 'ENOMEM' | 'EINVAL' | 'ERANGE' | 'ENODEV';

/** A request. */
export type AdminRequest =
  | { op: 'addService'; service: ServiceConfig }
  | { op: 'editService'; service: ServiceConfig }
  | { op: 'deleteService'; key: ServiceKey }
  | { op: 'addDestination'; key: ServiceKey; destination: DestinationConfig }
  | { op: 'editDestination'; key: ServiceKey; destination: DestinationConfig }
  | { op: 'deleteDestination'; key: ServiceKey; address: string; port: number }
  | { op: 'flush' }
  | { op: 'zero'; key?: ServiceKey }
  | { op: 'setTimeouts'; timeouts: Timeouts }
  | { op: 'getTimeouts' }
  | { op: 'list'; key?: ServiceKey }
  /** A page of connections that begins at `from`; without `from` the first page. */
  | { op: 'connections'; from?: number }
  /**
   * Connections that match a query (server/connection-query.ts): `limit` of them after the first
   * `offset`, and how many there are.
   */
  | { op: 'search'; query: string; offset: number; limit: number }
  /** The connection in a place that a search has named. */
  | { op: 'connection'; at: number }
  /** Several changes: host and dataplane get them together, before the reply. */
  | { op: 'batch'; requests: ChangeRequest[] }
  | { op: 'getSysctls' }
  | { op: 'setSysctl'; name: string; value: number }
  | { op: 'status' }
  | { op: 'startDaemon'; role: SyncRole; options: SyncOptions }
  | { op: 'stopDaemon'; role: SyncRole }
  | { op: 'daemons' }
  /**
   * Reads the configuration again, as SIGHUP does; `file`: another one, by its absolute path.
   * `dryRun`: only says what would change.
   */
  | { op: 'reload'; file?: string; dryRun?: boolean }
  | { op: 'health' }
  /** By which routes packets to these addresses leave. */
  | { op: 'routes'; addresses: string[] }
  /**
   * The destination drains: it has this share of its weight, 0 to 1, and templates no longer bind
   * clients to it. Without `share` it does so no longer.
   */
  | { op: 'drain'; key: ServiceKey; address: string; port: number; share?: number }
  /** Ends the connections of a destination: TCP by RST to both sides, UDP at once. */
  | { op: 'endConnections'; key: ServiceKey; address: string; port: number; tcp: boolean; udp: boolean }
  /** Takes the routes of announced VIPs away (true), or puts them back. */
  | { op: 'withdraw'; withdrawn: boolean }
  | { op: 'traceStart'; filter: string; dropsOnly: boolean; count: number }
  /** A successor takes over (takeover/offer.ts); `pid`: its process. */
  | { op: 'takeover'; step: 'offer' | 'go' | 'done' | 'yield'; pid: number }
  | { op: 'tracePoll' }
  | { op: 'traceStop' };

/** Requests that a batch may hold. */
export type ChangeRequest = Extract<AdminRequest, { op: (typeof CHANGES)[number] }>;

/** Idle timeouts in seconds; 0 in `setTimeouts` keeps the old value. */
export interface Timeouts {
  tcp: number;
  tcpfin: number;
  udp: number;
}

/** Counts, and rates per second as of the estimator. */
export interface StatsEntry {
  conns: number;
  inpkts: number;
  outpkts: number;
  inbytes: number;
  outbytes: number;
  cps: number;
  inpps: number;
  outpps: number;
  inbps: number;
  outbps: number;
}

/** A destination in a listing. */
export interface DestinationEntry extends DestinationConfig {
  /**
   * Only with health checks or while it drains: the weight in force, whether it is taken out of the
   * dataplane, and whether it drains. `weight` is the operator's.
   */
  present?: { weight: number; absent: boolean; draining: boolean };
  /** The last weight above 0, 0 if there was none: the share in the table of mh. */
  lastWeight: number;
  activeConns: number;
  inactConns: number;
  persistConns: number;
  stats: StatsEntry;
}

/** A service in a listing. */
export interface ServiceEntry extends ServiceConfig {
  stats: StatsEntry;
  /** Newest first, as in the kernel; ulvsadm sorts. */
  destinations: DestinationEntry[];
}

/** A device in a status. */
export interface DeviceStatus {
  name: string;
  kind: string;
  mac: string;
  mtu: number;
  addresses: readonly string[];
  /** At most 0.2 s old. */
  stats: DeviceStats;
}

/** The status of a director. */
export interface DirectorStatus {
  /** Of the package. */
  version: string;
  pid: number;
  /** The control socket. */
  socket: string;
  /** Bytes of memory in use (resident set). */
  memory: number;
  /**
   * Names the rule table. A director that starts with the rules of its configuration has a new
   * name; one that takes over the table of its predecessor keeps the name.
   */
  tableId: string;
  /** Seconds. */
  uptime: number;
  /** Absolute path of its configuration; '': it has none. */
  config: string;
  /** There is no configuration but a file of rules (`ulvs run --rules`), or not even that. */
  rulesOnly: boolean;
  devices: DeviceStatus[];
  services: number;
  destinations: number;
  /** Lines of the connection table: one for a connection, two for one of IPv6. */
  table: { used: number; max: number };
  /** By worker: lines of its table in use, and frames processed. */
  workers: { used: number; frames: number; loop?: LoopReading; census?: FrameCensus }[];
  /** Bytes of JavaScript objects of the control thread, and of memory outside that they own. */
  heap: { used: number; external: number };
  total: StatsEntry;
  /** What became of the frames, by name of FrameStat (stats/counters.ts). */
  frames: Record<string, number>;
  /** Drop reasons that occurred. */
  drops: { name: string; text: string; packets: number; bytes: number }[];
  helpers: { readonly ftp: readonly number[] };
  /** Daemons of synchronisation that run, and its counters. */
  sync: { daemons: SyncDaemon[]; counters: SyncStats };
  /** Destinations with health checks that are up, and all with checks. */
  health: { up: number; checked: number };
  /** With `announce` in director.yaml. */
  announce?: AnnounceStatus;
  /** With `offload: auto` in director.yaml. */
  offload?: OffloadStatus;
}

/** The route to an address. */
export interface NextHop {
  readonly address: string;
  /** Prefix of the route, or `default`. */
  readonly to: string;
  /** Name of the device; '': the routing of the host. */
  readonly device: string;
  /** Gateway; absent: the address is on the link. */
  readonly via?: string;
}

/** Connections whose packets the XDP programs forward. */
export interface OffloadStatus {
  /** Directions of connections that have a line of the flow table, and its lines. */
  used: number;
  lines: number;
  /** Lines that were written, and connections that found their bucket full. */
  written: number;
  noRoom: number;
  /** Packets that the programs have forwarded. */
  packets: number;
  /** Devices that take redirected frames. */
  devices: string[];
}

/** What a director announces to its router. */
export interface AnnounceStatus {
  table: number;
  /** The director has been told to announce nothing. */
  withdrawn: boolean;
  /** Prefixes that have a route. */
  prefixes: readonly string[];
}

/** One change by a reload: something is added, removed, or different. */
export interface ReloadChange {
  readonly sign: '+' | '-' | '~';
  readonly text: string;
}

/** What a reload did, or would do. */
export interface ReloadReport {
  readonly changes: readonly ReloadChange[];
  /** Changes made by commands since the file was read last, which the reload undid. */
  readonly undone: readonly string[];
}

/** Facts for the banner of a listing. */
export interface TableInfo {
  /** Printed as (size=N). */
  size: number;
}

export type AdminReply =
  | {
      ok: true;
      info?: TableInfo;
      services?: ServiceEntry[];
      connections?: ConnectionEntry[];
      timeouts?: Timeouts;
      /** One page of a search, or the one connection that was asked for, and the number of all. */
      found?: { connections: FoundConnection[]; total: number };
      /** After a page of connections: `from` of the next page; absent: it was the last. */
      next?: number;
      /** The replies to the requests of a batch. */
      replies?: AdminReply[];
      sysctls?: Sysctls;
      status?: DirectorStatus;
      /** The daemons of synchronisation that run, the master first. */
      daemons?: SyncDaemon[];
      /** To a successor: an offer or positions, as JSON. */
      takeover?: string;
      reload?: ReloadReport;
      /** Services with health checks, at most a second old. */
      health?: readonly ServiceStatus[];
      routes?: readonly NextHop[];
      /** Records since the last poll; `over`: no more will come. */
      trace?: { records: TraceRecord[]; over: boolean };
    }
  /** `text`: one line, where the errno does not say enough. */
  | { ok: false; errno: Errno; text?: string };

/** A director to send requests to: over the control socket, or in process. */
export interface AdminClient {
  request(request: AdminRequest): Promise<AdminReply>;
}
