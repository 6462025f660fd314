/** Requests that are no business of the virtual service: they must get through beside it. */
import type { Target } from './job.js';
import { answered, type Check } from './run.js';

const REQUESTS = 5;

/** `host` asks `target` itself. These connections count at the target's server, so the table was compared before. */
export function directly(host: string, target: Target, name: string): Check {
  return async (run) => {
    const result = await run.loadFrom(host, { kind: 'requests', targets: [target], count: REQUESTS, concurrency: 1 });
    return [{ name, ...answered(result, REQUESTS) }];
  };
}

/** The client asks further targets of the virtual service. */
export function requestsTo(targets: readonly Target[], name: string): Check {
  return async (run) => {
    const count = REQUESTS * targets.length;
    const result = await run.loadFrom('client', { kind: 'requests', targets, count, concurrency: 4 });
    return [{ name, ...answered(result, count) }];
  };
}
