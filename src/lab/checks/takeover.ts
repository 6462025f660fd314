/** The first director stops; the backup is started, as keepalived or a watchdog would do. */
import { DIRECTOR, directorReady, startDirector } from '../build/lab.js';
import { stop } from '../build/process.js';
import { answered, type Check, httpTargets } from './run.js';

const REQUESTS = 24;

export const takeover: Check = async (run) => {
  const { lab } = run;
  const targets = httpTargets(lab.spec);
  await stop(lab.processes.filter(({ what }) => what === DIRECTOR));
  await directorReady(lab, startDirector(lab, 'backup'));
  const began = performance.now();
  const result = await run.loadFrom('client', { kind: 'requests', targets, count: REQUESTS, concurrency: 4 });
  const ms = Math.round(performance.now() - began);
  const { ok, figure } = answered(result, REQUESTS);
  return [{ name: 'answered through the second director', ok, figure: `${figure}, ${ms} ms after it was ready` }];
};
