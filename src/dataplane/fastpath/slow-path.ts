/** The slow path as the fast path calls it. */
import type { Destination, VirtualService } from '../../service/service.js';
import type { FinalVerdict } from '../../stats/verdict.js';
import type { Director } from '../director.js';

/** Takes one frame by the slow path. `mayTrace`: false when no trace is about it. */
export type SlowPath = (d: Director, device: number, frame: number, len: number, mayTrace: boolean) => FinalVerdict;
/** The slow path of one frame that opens a connection, from where the scheduler has chosen. */
export type SlowPathScheduled = (
  d: Director,
  device: number,
  frame: number,
  len: number,
  service: VirtualService,
  dest: Destination | null,
) => FinalVerdict;
