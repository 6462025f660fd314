/** All targets. */
import type { Target } from '../engine/target.js';
import { ADMIN } from './admin.js';
import { DOCTOR } from './doctor.js';
import { FRAMES, TIMELINE } from './frames.js';
import { INTERCEPT } from './intercept.js';
import { READERS } from './readers.js';

export const TARGETS: readonly Target[] = [FRAMES, TIMELINE, ...ADMIN, ...READERS, DOCTOR, ...INTERCEPT];
