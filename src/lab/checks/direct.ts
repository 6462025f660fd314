/** Requests that are no business of the virtual service: they must get through beside it. */
import type { Target } from '../load/job.js';
import { addressIn } from '../topology.js';
import { answered, type Check, httpTargets } from './run.js';

const REQUESTS = 5;
/** Of a virtual service: every realserver has its turn. */
const TURNS = 12;

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

/** By which address and port the realservers' programs take what the client sends to the VIP. */
export function takenAt(wanted: readonly string[], name: string): Check {
  return async (run) => {
    const targets = httpTargets(run.lab.spec);
    const { answers } = await run.loadFrom('client', { kind: 'requests', targets, count: TURNS, concurrency: 4 });
    const right = answers.filter(({ at }) => wanted.includes(at)).length;
    const other = answers.find(({ at }) => !wanted.includes(at));
    const figure = `${right} of ${TURNS}${other ? `: ${other.name} took one at ${other.at}` : ''}`;
    return [{ name, ok: right === TURNS, figure }];
  };
}

/** A host that is no client of the lab asks a virtual service (the first VIP, unless `target`), and is seen by its own address. */
export function requestsFrom(host: string, address: string, name: string, target?: Target): Check {
  return async (run) => {
    const targets = target ? [target] : httpTargets(run.lab.spec);
    const result = await run.loadFrom(host, { kind: 'requests', targets, count: TURNS, concurrency: 4 });
    const strange = result.answers.find(({ seen }) => addressIn(seen) !== address);
    const { ok, figure } = answered(result, TURNS);
    const names = [...new Set(result.answers.map((answer) => answer.name))].sort();
    const by = `${figure} by ${names.join(', ')}${strange ? `, which saw ${strange.seen}` : ''}`;
    return [{ name, ok: ok && names.length > 1 && !strange, figure: by }];
  };
}
