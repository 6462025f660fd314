/**
 * The sysctls of a director: one row for each name in /proc/sys/net/ipv4/vs. Names and defaults are
 * those of the kernel (ipvs-sysctl.rst, ip_vs_ctl.c). So are the ranges where the kernel checks
 * any; elsewhere they hold the values with a meaning.
 *
 * Differences: `sync_threshold` holds two numbers in the kernel; here the second is `sync_period`,
 * its name before 2.6.38. `early_drop` is a name of ulvs. `tcp_max_syn_backlog` is a name of
 * /proc/sys/net/ipv4, where it is the limit of a listening socket. The kernel's default of
 * `sync_qlen_max` depends on the memory; here it is that of 2 GiB. `est_cpulist` is left out: it
 * names CPUs for threads that a director does not have.
 */
const INT_MAX = 2_147_483_647;

/** A sysctl: default and range (both ends included), and its meaning in words. */
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

export const SYSCTLS = {
  am_droprate: row(10, 0, INT_MAX, 'drop_packet 3 drops every n-th new connection'),
  amemthresh: row(
    1024,
    0,
    INT_MAX,
    'automatic defences start below this room in the connection table, in pages of 4096 bytes',
  ),
  backup_only: row(0, 0, 1, 'a director in backup state does not balance'),
  cache_bypass: row(0, 0, 1, 'without a destination, packets of fwmark services go to their original address'),
  conn_reuse_mode: row(
    1,
    0,
    3,
    'a SYN on a finished connection is scheduled anew (0 off; 2, 3: in FIN_WAIT of DR and Tun too)',
  ),
  conntrack: inert(
    0,
    0,
    1,
    'connections keep entries in netfilter conntrack',
    'the director does not use the connection tracking of netfilter',
  ),
  debug_level: inert(0, 0, 12, 'verbosity of debugging', 'there is no debug log; ulvs trace explains packets'),
  drop_entry: row(
    0,
    0,
    3,
    'ends idle and half-open connections when the table is short of room (0 never, 1 and 2 automatic, 3 always)',
  ),
  drop_packet: row(
    0,
    0,
    3,
    'drops new connections when the table is short of room (0 never, 1 and 2 automatic, 3 always)',
  ),
  early_drop: row(1, 0, 1, 'an unconfirmed connection gives its place when the table is full (0: as in the kernel)'),
  est_nice: inert(0, -20, 19, 'priority of the rate estimator', 'rates are estimated without a thread of their own'),
  expire_nodest_conn: row(0, 0, 1, 'ends connections whose destination was removed'),
  expire_quiescent_template: row(0, 0, 1, 'ends persistence templates whose destination is quiesced'),
  ignore_tunneled: inert(
    0,
    0,
    1,
    'packets of other protocols do not enter IPVS again',
    'the director looks at each packet once',
  ),
  lblc_expiration: row(86_400, 0, 2_147_483, 'seconds after which an unused entry of lblc is removed'),
  lblcr_expiration: row(86_400, 0, 2_147_483, 'seconds after which an unused entry of lblcr is removed'),
  nat_icmp_send: row(0, 0, 1, 'a packet of a masq destination without a connection is answered with port unreachable'),
  pmtu_disc: row(1, 0, 1, 'tunnels honour the DF flag'),
  run_estimation: row(1, 0, 1, 'rates are estimated'),
  schedule_icmp: row(0, 0, 1, 'an ICMP error may open a connection'),
  secure_tcp: row(0, 0, 3, 'stricter table of TCP states (0 never, 1 and 2 automatic, 3 always)'),
  sloppy_sctp: row(0, 0, 1, 'any SCTP packet may open a connection'),
  sloppy_tcp: row(0, 0, 1, 'any TCP packet but RST may open a connection'),
  snat_reroute: inert(
    1,
    0,
    1,
    'replies of masq are routed by their new source',
    'replies are always routed by their new source',
  ),
  sync_period: row(
    50,
    0,
    INT_MAX,
    'second number of sync_threshold: a connection is sent again every n packets (0: once)',
  ),
  sync_persist_mode: row(0, 0, 1, 'templates are synchronised, their connections are not'),
  sync_ports: row(1, 1, 64, 'number of synchronisation threads and ports, a power of two'),
  sync_qlen_max: row(16_384, 0, INT_MAX, 'synchronisation messages that may wait in the queue'),
  sync_refresh_period: row(0, 0, 2_147_483, 'seconds that a timer must have changed by to be sent again'),
  sync_retries: row(0, 0, 3, 'extra sends of a synchronisation message'),
  sync_sock_size: row(
    0,
    0,
    INT_MAX,
    'bytes of the synchronisation socket buffer (0: 4 MB to receive, the system default to send)',
  ),
  sync_threshold: row(3, 0, INT_MAX, 'packets after which a connection is first sent'),
  sync_version: row(1, 0, 1, 'version of the synchronisation protocol'),
  tcp_max_syn_backlog: row(
    4096,
    1,
    INT_MAX,
    'half-open connections of a service above which its SYN proxy (synproxy: auto) answers by cookies',
  ),
} as const satisfies Record<string, SysctlRow>;

/** A name of the table. */
export type SysctlName = keyof typeof SYSCTLS;
/** A value for each name. */
export type Sysctls = Record<SysctlName, number>;

export const SYSCTL_NAMES = Object.keys(SYSCTLS) as readonly SysctlName[];

/** The name is one of the table. */
export function isSysctlName(name: string): name is SysctlName {
  return Object.hasOwn(SYSCTLS, name);
}

/** All values at their defaults. */
export function defaultSysctls(): Sysctls {
  return Object.fromEntries(SYSCTL_NAMES.map((name) => [name, SYSCTLS[name].default])) as Sysctls;
}

/**
 * A sentence that the sysctl has no effect, and why, to follow its name; undefined: it has an
 * effect.
 */
export function withoutEffect(name: SysctlName): string | undefined {
  const { effect, why }: SysctlRow = SYSCTLS[name];
  return effect === 'none' ? `the value is kept but has no effect: ${why}` : undefined;
}

/** Names without effect whose value is not the default. */
export function ineffective(sysctls: Sysctls): SysctlName[] {
  return SYSCTL_NAMES.filter((name) => withoutEffect(name) !== undefined && sysctls[name] !== SYSCTLS[name].default);
}

/** What is wrong with `value` for `name`, in words that follow the value; undefined: nothing. */
export function sysctlFault(name: SysctlName, value: number): string | undefined {
  const { min, max } = SYSCTLS[name];
  if (!Number.isInteger(value) || value < min || value > max) return `is not a whole number from ${min} to ${max}`;
  if (name === 'sync_ports' && (value & (value - 1)) !== 0) return 'is not a power of two';
  return undefined;
}

/** What is wrong with the pair of sync_threshold (proc_do_sync_threshold); undefined: nothing. */
export function syncThresholdFault(sysctls: Pick<Sysctls, 'sync_threshold' | 'sync_period'>): string | undefined {
  const { sync_threshold: threshold, sync_period: period } = sysctls;
  if (period === 0 || threshold < period) return undefined;
  return `threshold ${threshold} is not below period ${period}`;
}
