/**
 * The names of /proc/sys/net/ipv4/vs that a director knows, one row each. Names and defaults are the kernel's
 * (ipvs-sysctl.rst, ip_vs_ctl.c); ranges are the kernel's where it has any, else what has a meaning.
 * Differences: `sync_threshold` holds two numbers there, here the second is `sync_period` (its name before 2.6.38);
 * `sync_qlen_max` is memory/32 pages there, here that of 2 GiB; `est_cpulist` does not exist: it names CPUs for threads
 * that a director has not.
 */
const INT_MAX = 2_147_483_647;

export interface SysctlRow {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly meaning: string;
  /** 'none': the value is kept and shown, and nothing reads it. */
  readonly effect?: 'none';
  /** Why there is no effect, in words that follow a colon. */
  readonly why?: string;
}

function row(value: number, min: number, max: number, meaning: string): SysctlRow {
  return { default: value, min, max, meaning };
}

/** A sysctl that the kernel has and that changes nothing here. */
function inert(value: number, min: number, max: number, meaning: string, why: string): SysctlRow {
  return { ...row(value, min, max, meaning), effect: 'none', why };
}

const NO_SYNC = 'there is no connection synchronisation';

export const SYSCTLS = {
  am_droprate: row(10, 0, INT_MAX, 'with drop_packet 3, every n-th new connection is dropped'),
  amemthresh: row(1024, 0, INT_MAX, 'pages of free memory below which the automatic defences start'),
  backup_only: inert(0, 0, 1, 'in backup state do not balance', NO_SYNC),
  cache_bypass: row(0, 0, 1, 'no destination: forward to the original one (fwmark services)'),
  conn_reuse_mode: row(
    1,
    0,
    3,
    'a SYN on a finished connection is scheduled anew (0 off; 2 set: in FIN_WAIT of DR and Tun too)',
  ),
  conntrack: inert(
    0,
    0,
    1,
    'keep netfilter conntrack entries for connections',
    'the director does not use the connection tracking of netfilter',
  ),
  debug_level: inert(0, 0, 12, 'verbosity of debugging', 'there is no debug log; ulvs trace explains packets'),
  drop_entry: row(0, 0, 3, 'drop connections when memory is short (0 never, 1 and 2 automatic, 3 always)'),
  drop_packet: row(0, 0, 3, 'drop new connections when memory is short (0 never, 1 and 2 automatic, 3 always)'),
  est_nice: inert(0, -20, 19, 'priority of the rate estimator', 'rates are estimated without a thread of their own'),
  expire_nodest_conn: row(0, 0, 1, 'expire connections whose destination was removed'),
  expire_quiescent_template: row(0, 0, 1, 'expire persistence templates whose destination is quiesced'),
  ignore_tunneled: inert(0, 0, 1, 'do not look again inside other protocols', 'the director looks at each packet once'),
  lblc_expiration: row(86_400, 0, 2_147_483, 'seconds an unused lblc entry is kept'),
  lblcr_expiration: row(86_400, 0, 2_147_483, 'seconds an unused lblcr entry is kept'),
  nat_icmp_send: row(0, 0, 1, 'answer a masq realserver packet without a connection by port unreachable'),
  pmtu_disc: row(1, 0, 1, 'honour DF on tunnels'),
  run_estimation: row(1, 0, 1, 'estimate rates'),
  schedule_icmp: row(0, 0, 1, 'let an ICMP error make a connection'),
  secure_tcp: row(0, 0, 3, 'use the stricter TCP states (0 never, 1 and 2 automatic, 3 always)'),
  sloppy_sctp: row(0, 0, 1, 'let any SCTP packet make a connection'),
  sloppy_tcp: row(0, 0, 1, 'let any TCP packet make a connection'),
  snat_reroute: inert(
    1,
    0,
    1,
    'route replies of masq by their new source',
    'replies are always routed by their new source',
  ),
  sync_period: inert(50, 0, INT_MAX, 'second number of sync_threshold: send again every n packets (0 once)', NO_SYNC),
  sync_persist_mode: inert(0, 0, 1, 'synchronise templates, not their connections', NO_SYNC),
  sync_ports: inert(1, 1, 64, 'synchronisation threads and ports, a power of two', NO_SYNC),
  sync_qlen_max: inert(16_384, 0, INT_MAX, 'synchronisation messages that may wait', NO_SYNC),
  sync_refresh_period: inert(0, 0, 2_147_483, 'seconds a timer must have moved to be sent again', NO_SYNC),
  sync_retries: inert(0, 0, 3, 'extra sends of a synchronisation message', NO_SYNC),
  sync_sock_size: inert(0, 0, INT_MAX, 'bytes of the synchronisation socket buffer (0: the system default)', NO_SYNC),
  sync_threshold: inert(3, 0, INT_MAX, 'packets after which a connection is first synchronised', NO_SYNC),
  sync_version: inert(1, 0, 1, 'version of the synchronisation protocol', NO_SYNC),
} as const satisfies Record<string, SysctlRow>;

export type SysctlName = keyof typeof SYSCTLS;
export type Sysctls = Record<SysctlName, number>;

export const SYSCTL_NAMES = Object.keys(SYSCTLS) as readonly SysctlName[];

export function isSysctlName(name: string): name is SysctlName {
  return Object.hasOwn(SYSCTLS, name);
}

export function defaultSysctls(): Sysctls {
  return Object.fromEntries(SYSCTL_NAMES.map((name) => [name, SYSCTLS[name].default])) as Sysctls;
}

/** That a sysctl has no effect, and why, in words that follow its name; undefined when it has one. */
export function withoutEffect(name: SysctlName): string | undefined {
  const { effect, why }: SysctlRow = SYSCTLS[name];
  return effect === 'none' ? `the value is kept but has no effect: ${why}` : undefined;
}

/** The names, of those without effect, whose value is not the default. */
export function ineffective(sysctls: Sysctls): SysctlName[] {
  return SYSCTL_NAMES.filter((name) => withoutEffect(name) !== undefined && sysctls[name] !== SYSCTLS[name].default);
}

/** What is wrong with `value` for `name`, in words that follow the value; undefined when it is right. */
export function sysctlFault(name: SysctlName, value: number): string | undefined {
  const { min, max } = SYSCTLS[name];
  if (!Number.isInteger(value) || value < min || value > max) return `is not a whole number from ${min} to ${max}`;
  if (name === 'sync_ports' && (value & (value - 1)) !== 0) return 'is not a power of two';
  return undefined;
}

/** The kernel's rule for the pair (proc_do_sync_threshold). */
export function syncThresholdFault(sysctls: Pick<Sysctls, 'sync_threshold' | 'sync_period'>): string | undefined {
  const { sync_threshold: threshold, sync_period: period } = sysctls;
  if (period === 0 || threshold < period) return undefined;
  return `threshold ${threshold} is not below period ${period}`;
}
