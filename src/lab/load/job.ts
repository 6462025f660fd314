/** What the load program is told to do, and what it says of it. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/**
 * Jobs go round the targets in turn; their i-th client has the local port `firstPort` + i. Ports are given, because the
 * kernel may use one port for two VIPs at once, and a director (any IPVS) does not look whether the two then meet at one realserver.
 */
export type Job = { firstPort: number } & Work;

export type Work =
  /** `count` requests, a new connection each, `concurrency` at a time. */
  | { kind: 'requests'; targets: readonly Target[]; count: number; concurrency: number }
  /** `count` clients that are all connected before the first one asks. */
  | { kind: 'together'; targets: readonly Target[]; count: number }
  | { kind: 'download'; target: Target; bytes: number }
  /** `count` sockets, each of which sends `each` datagrams and waits for each one's echo. */
  | { kind: 'echo'; targets: readonly Target[]; count: number; each: number };

export type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }> & { firstPort: number };

/** How many local ports it needs. */
export function portsOf(work: Work): number {
  return work.kind === 'download' ? 1 : work.count;
}

/** One answer: by whom, to which local port; `seen` is who asked as the realserver saw it, '' where it does not say. */
export interface Answer {
  readonly name: string;
  readonly localPort: number;
  readonly target: string;
  readonly seen: string;
  /** Address and port by which the realserver took it, '' where it does not say. */
  readonly at: string;
}

export interface Result {
  answers: Answer[];
  /** One line for each that failed. */
  errors: string[];
  ms: number;
  /** Of a download. */
  sha256?: string;
  bytes?: number;
}

/** A line of its output: how far it is, or, last, the result. */
export type Line = { progress: [done: number, total: number] } | { result: Result };
