/** A trace of the running director, fetched in pieces over the control socket. One at a time: a new one ends the old. */
import type { TraceRecord, TraceSpec } from '../../dataplane/trace/trace.js';
import type { AdminReply, AdminRequest } from '../api/api.js';
import { FilterError, parseFilter } from './trace-filter.js';

export type TraceRequest = Extract<AdminRequest, { op: 'traceStart' | 'tracePoll' | 'traceStop' }>;

/** Records that wait to be fetched; a reader that is too slow loses the oldest. */
const WAITING = 10_000;
/** A reader that has not asked for this long (ms) is gone, and so is its trace. */
const FORGOTTEN = 5000;

export function isTraceRequest(request: AdminRequest): request is TraceRequest {
  return request.op === 'traceStart' || request.op === 'tracePoll' || request.op === 'traceStop';
}

export class TraceSession {
  private records: TraceRecord[] = [];
  private left = 0;
  private asked = 0;

  /** `set`: tells the dataplane what to trace, undefined for nothing. */
  constructor(private readonly set: (spec: TraceSpec | undefined) => void) {}

  request(request: TraceRequest, now: number): AdminReply {
    this.asked = now;
    if (request.op === 'traceStart') return this.start(request);
    if (request.op === 'traceStop') this.stop();
    return { ok: true, trace: { records: this.records.splice(0), over: this.left <= 0 } };
  }

  /** Several workers may each have one more than was asked for. */
  add(record: TraceRecord): void {
    if (this.left <= 0) return;
    this.left--;
    this.records.push(record);
    if (this.records.length > WAITING) this.records.shift();
    if (this.left <= 0) this.set(undefined);
  }

  /** Ends a trace that nobody fetches any more. */
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
