/** The jobs of the load program, and its output. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/**
 * A job uses the targets in turn. Its i-th client has the local port `firstPort` + i. Local ports
 * are given because the kernel may use one port for two VIPs at a time, and IPVS does not check
 * whether both connections meet at one realserver.
 */
export type Job = { firstPort: number } & Work;

export type Work =
  /** `count` requests, a new connection each, `concurrency` at a time. */
  | { kind: 'requests'; targets: readonly Target[]; count: number; concurrency: number }
  /** `count` clients, all connected before the first request. */
  | { kind: 'simultaneous'; targets: readonly Target[]; count: number }
  | { kind: 'download'; target: Target; bytes: number }
  /**
   * `count` idle connections, and from each target a download of `bytes` at `rate` bytes a second
   * while they are idle. Ports of the downloads follow those of the idle connections.
   */
  | { kind: 'outlive'; targets: readonly Target[]; count: number; bytes: number; rate: number }
  /**
   * `count` connections that ask again and again until SIGTERM. One that breaks is replaced, from
   * `ports` local ports in all.
   */
  | { kind: 'held'; targets: readonly Target[]; count: number; ports: number }
  /** `count` sockets; each sends `datagrams` datagrams and waits for the echo of each. */
  | { kind: 'echo'; targets: readonly Target[]; count: number; datagrams: number };

export type WorkOf<K extends Work['kind']> = Extract<Work, { kind: K }> & { firstPort: number };

/** The number of local ports that the job uses. */
export function portsOf(work: Work): number {
  if (work.kind === 'outlive') return work.count + work.targets.length;
  if (work.kind === 'held') return work.ports;
  return work.kind === 'download' ? 1 : work.count;
}

/**
 * One answer: the realserver's name and the local port. `seen` is the client's address and port as
 * the realserver saw it, '' if it does not tell.
 */
export interface Answer {
  readonly name: string;
  readonly localPort: number;
  readonly target: string;
  readonly seen: string;
  /** Address and port at which the realserver accepted the connection, '' if it does not tell. */
  readonly at: string;
}

export interface Result {
  answers: Answer[];
  /** One line for each failure. */
  errors: string[];
  ms: number;
  /** SHA-256 and length of a download. */
  sha256?: string;
  bytes?: number;
  /** Of `outlive`: the hash of each download, and its longest time without data, in ms. */
  downloads?: readonly { readonly sha256: string; readonly gap: number }[];
  /** Of held connections: those that broke, and the longest time in ms that an answer took. */
  losses?: Loss[];
  longestGapMs?: number;
}

/** A held connection that broke. `at`: milliseconds since 1970. */
export interface Loss {
  readonly target: string;
  readonly at: number;
  readonly why: string;
}

/** One line of output: progress, or at the end the result. */
export type Line = { progress: [done: number, total: number] } | { result: Result };
