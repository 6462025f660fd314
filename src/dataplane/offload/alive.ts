/**
 * How long the programs go on without the director: each worker says until when for itself, and the
 * earliest of them holds. So a worker that hangs is not obeyed for long, while the others live.
 */
import { Control, TOLD_WORDS, Told } from '../../device/flow/layout.js';

/** `told`: where the control words have what this worker tells; `until`: in units of the lines. */
export function tellAlive(control: Int32Array, told: number, until: number): void {
  control[told + Told.aliveUntil] = until;
  let earliest = until;
  for (let i = 0; i < control[Control.workers]!; i++) {
    const other = control[Control.told + i * TOLD_WORDS + Told.aliveUntil]!;
    if (((other - earliest) | 0) < 0) earliest = other;
  }
  control[Control.aliveUntil] = earliest;
}
