/** The list of schedulers. A new scheduler is a file in this folder and a line here. */
import type { Scheduler } from '../service/service.js';
import { dh } from './dh.js';
import { fo } from './fo.js';
import { lblc } from './lblc.js';
import { lblcr } from './lblcr.js';
import { lc } from './lc.js';
import { mh } from './mh.js';
import { nq } from './nq.js';
import { ovf } from './ovf.js';
import { rr } from './rr.js';
import { sed } from './sed.js';
import { sh } from './sh.js';
import { twos } from './twos.js';
import { wlc } from './wlc.js';
import { wrr } from './wrr.js';

/** Every scheduler, in the order in which the help of ulvsadm lists them. */
export const SCHEDULERS: readonly Scheduler[] = [rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos];

const BY_NAME = new Map(SCHEDULERS.map((scheduler) => [scheduler.name, scheduler]));

export const SCHEDULER_NAMES: readonly string[] = SCHEDULERS.map((scheduler) => scheduler.name);

export function schedulerNamed(name: string): Scheduler | undefined {
  return BY_NAME.get(name);
}
