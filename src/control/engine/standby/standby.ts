/**
 * Standby: what workers of a successor wait for, shared by its control thread and its workers
 * (standing-by.ts).
 *
 *     words  | 1: begin | position of device 0, worker 0 | device 1, worker 0 | … | device 0, worker 1 | …
 */
import type { DeviceHandle } from '../../../device/handle.js';

/** What workers that stand by wait for, as plain data. */
export interface Standby {
  /** By device, then by worker. */
  readonly handles: readonly (readonly (DeviceHandle | undefined)[])[];
  /** Int32 words, as above. */
  readonly words: SharedArrayBuffer;
}

export function newStandby(handles: Standby['handles'], workers: number): Standby {
  return { handles, words: new SharedArrayBuffer(4 * (1 + workers * handles.length)) };
}

/** Workers that stand by begin. `positions`: by worker, then by device. */
export function release({ words, handles }: Standby, positions: readonly (readonly number[])[]): void {
  const all = new Int32Array(words);
  positions.forEach((ofWorker, worker) => {
    handles.forEach((_, device) => {
      all[1 + worker * handles.length + device] = ofWorker[device] ?? 0;
    });
  });
  Atomics.store(all, 0, 1);
  Atomics.notify(all, 0);
}

/** Sleeps until the workers begin. Returns where `worker` reads on, by device. */
export function awaitRelease({ words, handles }: Standby, worker: number): number[] {
  const all = new Int32Array(words);
  Atomics.wait(all, 0, 0);
  return handles.map((_, device) => all[1 + worker * handles.length + device]!);
}
