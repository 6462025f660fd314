/**
 * The trace session of a director, whose records a client fetches over the control socket. A new
 * trace ends the old one.
 */
import type { TraceRecord, TraceSpec } from '../../dataplane/trace/trace.js';
import type { AdminReply, AdminRequest } from '../api/api.js';
import { FilterError, parseFilter } from './trace-filter.js';

/** Requests of a trace. */
export type TraceRequest = Extract<AdminRequest, { op: 'traceStart' | 'tracePoll' | 'traceStop' }>;

/** Most records that wait for the client. A client that is too slow loses the oldest. */
const WAITING = 10_000;
/** Time, in ms, without a poll after which the trace ends. */
const FORGOTTEN = 5000;

export function isTraceRequest(request: AdminRequest): request is TraceRequest {
  return request.op === 'traceStart' || request.op === 'tracePoll' || request.op === 'traceStop';
}

/** One trace at a time. */
export class TraceSession {
  private records: TraceRecord[] = [];
  /** Records still to come; 0: no trace. */
  private left = 0;
  /** Time of the last request, ms. */
  private asked = 0;

  /** `set` starts a trace in the dataplane; undefined ends it. */
  constructor(private readonly set: (spec: TraceSpec | undefined) => void) {}

  /** Answers a request at `now` (ms). */
  request(request: TraceRequest, now: number): AdminReply {
    this.asked = now;
    if (request.op === 'traceStart') return this.start(request);
    if (request.op === 'traceStop') this.stop();
    return { ok: true, trace: { records: this.records.splice(0), over: this.left <= 0 } };
  }

  /** Adds a record. Workers may each send one more than was asked for: those are ignored. */
  add(record: TraceRecord): void {
    if (this.left <= 0) return;
    this.left--;
    this.records.push(record);
    if (this.records.length > WAITING) this.records.shift();
    if (this.left <= 0) this.set(undefined);
  }

  /** Ends a trace whose client has not polled. `now` in ms. */
  tick(now: number): void {
    if (this.left > 0 && now - this.asked > FORGOTTEN) this.stop();
  }

  private start({ filter, dropsOnly, count }: Extract<TraceRequest, { op: 'traceStart' }>): AdminReply {
    try {
      const parsed = parseFilter(filter);
      this.records = [];
      this.left = count;
      this.set({ filter: parsed, dropsOnly, count });
      return { ok: true, trace: { records: [], over: false } };
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      return { ok: false, errno: 'EINVAL', text: error.message };
    }
  }

  private stop(): void {
    this.left = 0;
    this.set(undefined);
  }
}
