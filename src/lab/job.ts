/** What the load program is told to do, and what it says of it. */
export interface Target {
  readonly address: string;
  readonly port: number;
}

/** Jobs go round the targets in turn. */
export type Job =
  /** `count` requests, a new connection each, `concurrency` at a time. */
  | { kind: 'requests'; targets: readonly Target[]; count: number; concurrency: number }
  /** `count` clients that are all connected before the first one asks. */
  | { kind: 'together'; targets: readonly Target[]; count: number }
  | { kind: 'download'; target: Target; bytes: number }
  /** `count` sockets, each of which sends `each` datagrams and waits for each one's echo. */
  | { kind: 'echo'; targets: readonly Target[]; count: number; each: number };

/** One answer: by whom, to which local port; `seen` is the client's address and port as the realserver saw them. */
export interface Answer {
  readonly name: string;
  readonly localPort: number;
  readonly target: string;
  readonly seen: string;
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
