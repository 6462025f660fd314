/**
 * Options of a service that IPVS does not have (key serviceOptions): idle times of its own, and
 * what becomes of its connections when they idle or lose their destination.
 */

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
}
