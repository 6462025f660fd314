/**
 * What ulvsadm asks of a director, over the control socket or in process (replay): plain JSON.
 * `Errno` is what the kernel would have returned; the sentences are ulvsadm's.
 */
import type { TraceRecord } from '../../dataplane/trace/trace.js';
import type { DeviceStats } from '../../device/device.js';
import type { DestinationConfig, ServiceConfig, ServiceKey } from '../../service/config.js';
import type { Sysctls } from '../../service/sysctl.js';

export type Errno = 'EEXIST' | 'ENOENT' | 'ESRCH' | 'EPERM' | 'ENOMEM' | 'EINVAL' | 'ERANGE';

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
  /** Without `from` all of it; else a page that begins at that entry (0 at first). */
  | { op: 'connections'; from?: number }
  /** Several at once: the host's stack and the dataplane are told once, before the replies come. */
  | { op: 'batch'; requests: ChangeRequest[] }
  | { op: 'getSysctls' }
  | { op: 'setSysctl'; name: string; value: number }
  | { op: 'status' }
  | { op: 'traceStart'; filter: string; dropsOnly: boolean; count: number }
  | { op: 'tracePoll' }
  | { op: 'traceStop' };

/** What a batch may hold. */
export type ChangeRequest = Extract<
  AdminRequest,
  {
    op:
      | 'addService'
      | 'editService'
      | 'deleteService'
      | 'addDestination'
      | 'editDestination'
      | 'deleteDestination'
      | 'flush'
      | 'zero'
      | 'setTimeouts';
  }
>;

/** Seconds; 0 in `setTimeouts` keeps the old value. */
export interface Timeouts {
  tcp: number;
  tcpfin: number;
  udp: number;
}

/** Totals and rates; rates are the estimator's shown values. */
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

export interface DestinationEntry extends DestinationConfig {
  activeConns: number;
  inactConns: number;
  persistConns: number;
  stats: StatsEntry;
}

export interface ServiceEntry extends ServiceConfig {
  stats: StatsEntry;
  /** In the kernel's order: newest first. ulvsadm sorts. */
  destinations: DestinationEntry[];
}

/** A row of /proc/net/ip_vs_conn. A fwmark template has protocol 0 and the mark as its virtual address. */
export interface ConnectionEntry {
  protocol: number;
  family: 4 | 6;
  caddr: string;
  cport: number;
  vaddr: string;
  vport: number;
  daddr: string;
  dport: number;
  state: string;
  /** Assembled seconds left. */
  expires: number;
  peName: string;
  peData: string;
}

export interface DeviceStatus {
  name: string;
  kind: string;
  mac: string;
  mtu: number;
  addresses: readonly string[];
  /** As of at most a fifth of a second ago. */
  stats: DeviceStats;
}

/** A director at a glance. */
export interface DirectorStatus {
  pid: number;
  /** Seconds. */
  uptime: number;
  /** Absolute path of the file it was configured by. */
  config: string;
  /** That file holds lines as for ipvsadm -R and nothing else (`ulvs run --rules`). */
  rulesOnly: boolean;
  devices: DeviceStatus[];
  services: number;
  destinations: number;
  /** Lines of the connection table; a connection takes one, of IPv6 two. */
  table: { used: number; max: number };
  /** By worker: lines of its part of the table in use, frames it has processed. */
  workers: { used: number; frames: number }[];
  total: StatsEntry;
  /** By name of stats/counters.ts FrameStat: what became of the frames. */
  fates: Record<string, number>;
  /** Only the reasons that occurred. */
  drops: { name: string; text: string; packets: number; bytes: number }[];
  helpers: { readonly ftp: readonly number[] };
}

export interface TableInfo {
  /** Printed in the banner as (size=N). */
  size: number;
}

export type AdminReply =
  | {
      ok: true;
      info?: TableInfo;
      services?: ServiceEntry[];
      connections?: ConnectionEntry[];
      timeouts?: Timeouts;
      /** Of a page of connections: where the next one begins; absent at the end. */
      next?: number;
      /** Of a batch, one for each request. */
      replies?: AdminReply[];
      sysctls?: Sysctls;
      status?: DirectorStatus;
      /** Of tracePoll: what was traced since the last one, and whether more can come. */
      trace?: { records: TraceRecord[]; over: boolean };
    }
  /** `text`: more than the errno says, where ulvsadm has no sentence for it. */
  | { ok: false; errno: Errno; text?: string };

/** Both ends of the control socket, and the in-process director of a replay, look like this to ulvsadm. */
export interface AdminClient {
  request(request: AdminRequest): Promise<AdminReply>;
}
