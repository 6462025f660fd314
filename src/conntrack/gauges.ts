/** The gauges of destinations: how many active, inactive and persistent connections each has. */
import type { Destination } from '../service/service.js';
import { Gauge } from '../stats/counters.js';
import { CONN_INACTIVE, CONN_TEMPLATE, DEST, FLAGS } from './entry.js';

/** Binds the entry at word `at` to a destination, which counts it. */
export function bind(words: Int32Array, at: number, dest: Destination): void {
  words[at + DEST] = dest.slot + 1;
  count(dest, words[at + FLAGS]!, 1);
  dest.noteBound();
}

/** Undoes `bind`. */
export function unbind(words: Int32Array, at: number, dest: Destination): void {
  count(dest, words[at + FLAGS]!, -1);
  dest.noteUnbound();
  words[at + DEST] = 0;
}

/** Counts a connection with these flags, or no longer. */
export function count(dest: Destination, flags: number, by: 1 | -1): void {
  dest.add(Gauge.references, by);
  if ((flags & CONN_TEMPLATE) !== 0) dest.add(Gauge.persistent, by);
  else dest.add((flags & CONN_INACTIVE) !== 0 ? Gauge.inactive : Gauge.active, by);
}

/** Sets or clears CONN_INACTIVE, and moves the connection between the gauges of its destination. */
export function setInactive(words: Int32Array, at: number, dest: Destination | undefined, inactive: boolean): void {
  if (((words[at + FLAGS]! & CONN_INACTIVE) !== 0) === inactive) return;
  words[at + FLAGS]! ^= CONN_INACTIVE;
  if (dest === undefined || (words[at + FLAGS]! & CONN_TEMPLATE) !== 0) return;
  dest.add(Gauge.inactive, inactive ? 1 : -1);
  dest.add(Gauge.active, inactive ? -1 : 1);
}
