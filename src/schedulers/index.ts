import type { Scheduler } from '../service/scheduler.js';
import { lc } from './lc.js';
import { rr } from './rr.js';
import { sh } from './sh.js';
import { wlc } from './wlc.js';
import { wrr } from './wrr.js';

/** Every scheduler there is; adding one is a file and a line here. */
const ALL: readonly Scheduler[] = [rr, wrr, lc, wlc, sh];

const BY_NAME = new Map(ALL.map((scheduler) => [scheduler.name, scheduler]));

export const SCHEDULER_NAMES: readonly string[] = ALL.map((scheduler) => scheduler.name);

export function schedulerNamed(name: string): Scheduler | undefined {
  return BY_NAME.get(name);
}
