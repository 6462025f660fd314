/**
 * Requests that a topology's own checks make: past the virtual service, to further services, or
 * from another host.
 */
import type { Target } from '../load/job.js';
import { addressOfEndpoint } from '../topology.js';
import { answered, type Check, httpTargets } from './run.js';

const REQUESTS = 5;
/** Requests to a virtual service: enough for every realserver to have its turn. */
const TURNS = 12;

/**
 * `host` requests from `target` directly. The target's server counts these connections too, so the
 * table is compared before.
 */
export function requestsPastService(host: string, target: Target, name: string): Check {
  return async (run) => {
    const result = await run.loadFrom(host, { kind: 'requests', targets: [target], count: REQUESTS, concurrency: 1 });
    return [{ name, ...answered(result, REQUESTS) }];
  };
}

/** The client makes requests to further addresses and ports of the virtual service. */
export function requestsTo(targets: readonly Target[], name: string): Check {
  return async (run) => {
    const count = REQUESTS * targets.length;
    const result = await run.loadFrom('client', { kind: 'requests', targets, count, concurrency: 4 });
    return [{ name, ...answered(result, count) }];
  };
}

/** The address and port at which the realservers' programs accept connections to the VIP. */
export function acceptedAt(wanted: readonly string[], name: string): Check {
  return async (run) => {
    const targets = httpTargets(run.lab.spec);
    const { answers } = await run.loadFrom('client', { kind: 'requests', targets, count: TURNS, concurrency: 4 });
    const right = answers.filter(({ at }) => wanted.includes(at)).length;
    const other = answers.find(({ at }) => !wanted.includes(at));
    const figure = `${right} of ${TURNS}${other ? `: ${other.name} accepted one at ${other.at}` : ''}`;
    return [{ name, ok: right === TURNS, figure }];
  };
}

/**
 * A host other than the client makes requests to a virtual service (the first VIP unless `target`
 * names another), and the realservers see its own address.
 */
export function requestsFrom(host: string, address: string, name: string, target?: Target): Check {
  return async (run) => {
    const targets = target ? [target] : httpTargets(run.lab.spec);
    const result = await run.loadFrom(host, { kind: 'requests', targets, count: TURNS, concurrency: 4 });
    const strange = result.answers.find(({ seen }) => addressOfEndpoint(seen) !== address);
    const { ok, figure } = answered(result, TURNS);
    const names = [...new Set(result.answers.map((answer) => answer.name))].sort();
    const by = `${figure} by ${names.join(', ')}${strange ? `, which saw ${strange.seen}` : ''}`;
    return [{ name, ok: ok && names.length > 1 && !strange, figure: by }];
  };
}
