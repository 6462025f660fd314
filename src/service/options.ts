/**
 * Options of a service that IPVS does not have (key serviceOptions): idle times of its own, what
 * becomes of its connections when they idle or lose their destination, and the SYN proxy.
 */

/** When the SYN proxy answers the SYNs of a service: never, in a SYN flood, always. */
export const SYNPROXY_MODES = ['off', 'auto', 'on'] as const;
export type SynProxyMode = (typeof SYNPROXY_MODES)[number];

/** Times in seconds; 0: as for all services. */
export interface IdleTimes {
  readonly tcp: number;
  readonly tcpfin: number;
  readonly udp: number;
}

export interface ServiceOptions {
  readonly idle: IdleTimes;
  /** An established TCP connection that idles to its end is reset on both sides. */
  readonly resetIdle: boolean;
  /** TCP connections of a removed destination are reset on both sides. */
  readonly resetRemoved: boolean;
  /** UDP connections of a removed destination end at once: the next datagram is scheduled. */
  readonly rescheduleUdp: boolean;
  readonly synproxy: SynProxyMode;
}
