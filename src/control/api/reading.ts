/** Which requests only ask; schema.ts has all of them. */
import type { AdminRequest } from './api.js';

/** Requests that change nothing: those of a socket for questions only. */
export const READING: ReadonlySet<AdminRequest['op']> = new Set([
  'getTimeouts',
  'list',
  'connections',
  'search',
  'connection',
  'getSysctls',
  'daemons',
  'status',
  'health',
  'routes',
]);
