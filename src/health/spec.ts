/**
 * Health checks as plain data: what is checked, how often, and what follows. The control thread
 * makes it from director.yaml and the rule table; it crosses to the thread of the checks.
 *
 *     ServicePlan (quorum, sorry server, slow start) ── Target (a destination, by slot) ── Check (type, times, rise, fall)
 *
 * Times are in ms.
 */

/** Types of checks, in the order of the documents. */
export const CHECK_TYPES = [
  'tcp',
  'http',
  'https',
  'http2',
  'grpc',
  'dns',
  'udp',
  'smtp',
  'redis',
  'mysql',
  'postgres',
  'icmp',
  'script',
  'sctp',
  'passive',
] as const;
export type CheckType = (typeof CHECK_TYPES)[number];
/** Types that send something (checkers/index.ts). */
export type ProbeType = Exclude<CheckType, 'passive'>;

/** What a type of check needs to know; each type reads some of it. */
export interface CheckOptions {
  /** Host header of http, name in the EHLO of smtp; '': the address. */
  readonly host: string;
  readonly path: string;
  /** Good status codes, ranges with both ends included. */
  readonly status: readonly (readonly [from: number, to: number])[];
  /** Regular expression that the body must match; '': any. */
  readonly body: string;
  /** Text that the answer must contain; '': any. */
  readonly expect: string;
  /** Server name of TLS; '': none. */
  readonly sni: string;
  /** TLS for the types that have both. */
  readonly tls: boolean;
  /** The certificate must be valid for the name and signed by a known authority. */
  readonly verify: boolean;
  /** Days that the certificate must be valid for; -1: not checked. */
  readonly certificateDays: number;
  /** What is sent: text, or bytes as hex:0a0b. */
  readonly send: string;
  /** A datagram must be answered. */
  readonly reply: boolean;
  /** Name that dns asks for, or service that grpc asks for. */
  readonly name: string;
  /** Record type of dns. */
  readonly record: string;
  /** Program and arguments. */
  readonly command: readonly string[];
  /** passive: failures of clients' connections between two looks that make it bad, */
  readonly failures: number;
  /** when they are at least this share of the connections, 0 to 1; */
  readonly share: number;
  /** and the time after which clients try the destination again. */
  readonly pause: number;
}

/** One check of a destination. */
export interface Check extends CheckOptions {
  /** Unique in its service. */
  readonly id: string;
  readonly type: CheckType;
  /** 0: the port of the destination. */
  readonly port: number;
  readonly interval: number;
  /** Interval after a failure and while the check is down. */
  readonly fast: number;
  /** Share of the interval by which it varies, 0 to 1. */
  readonly jitter: number;
  readonly connectTimeout: number;
  /** Limit of the whole check. */
  readonly timeout: number;
  /** Successes in a row until it is up. */
  readonly rise: number;
  /** Failures in a row until it is down. */
  readonly fall: number;
  /** Runs only while the check of this id is up; '': always. */
  readonly after: string;
}

/** A destination to check. */
export interface Target {
  /** Slot of the destination in the rule table. */
  readonly slot: number;
  /** Address and port of the destination, as text. */
  readonly name: string;
  /** Address that checks connect to: the destination's, or one that leads through the dataplane. */
  readonly address: string;
  /** Address that pings go to: no ping by IPv6 goes through the dataplane. */
  readonly pinged: string;
  readonly port: number;
  readonly checks: readonly Check[];
}

/** A service with checks. */
export interface ServicePlan {
  /** The service in the words of ulvsadm: `-t 10.0.0.100:80`. */
  readonly name: string;
  /** Destinations that must be up. */
  readonly quorum: number;
  /** Lost below quorum - hysteresis, regained at quorum + hysteresis. */
  readonly hysteresis: number;
  /** Slot of the destination that gets the clients while the quorum is lost; -1: none. */
  readonly sorry: number;
  /** Time in which the weight of a destination that comes up rises to its value; 0: at once. */
  readonly slowStart: number;
  readonly targets: readonly Target[];
}

/** The answer of one check. */
export interface Outcome {
  readonly ok: boolean;
  /** Why it failed, or what it saw; one line. */
  readonly text: string;
  /** Weight that a script asks for. */
  readonly weight?: number;
}

/** What health says about the weight of a destination. */
export interface Verdict {
  readonly slot: number;
  /** Share of the operator's weight, 0 to 1. */
  readonly share: number;
  /** Weight in place of the operator's; -1: none. */
  readonly weight: number;
}

/** A line for the log. */
export interface HealthEvent {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** One check in the status. */
export interface CheckStatus {
  readonly id: string;
  readonly type: CheckType;
  readonly up: boolean;
  /** The last answer. */
  readonly text: string;
  /** Duration of the last check, ms. */
  readonly took: number;
  readonly passed: number;
  readonly failed: number;
}

/** A destination in the status. */
export interface TargetStatus {
  readonly slot: number;
  readonly name: string;
  readonly up: boolean;
  readonly share: number;
  /** Time in this state, ms. */
  readonly since: number;
  /** Times that it went up or down. */
  readonly changes: number;
  readonly checks: readonly CheckStatus[];
}

/** A service in the status. */
export interface ServiceStatus {
  readonly name: string;
  readonly up: number;
  readonly quorum: number;
  readonly quorate: boolean;
  readonly targets: readonly TargetStatus[];
}

/** A service with some of its targets: those from the `first` on, in their order. */
export interface StatusPart extends ServiceStatus {
  readonly first: number;
}
