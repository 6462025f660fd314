/**
 * One director succeeds another on the same machine (../takeover has the steps of the protocol):
 *
 *     running director   giving(): offer ─ pause ─────────────── leave
 *     successor          takeOver():          └─ go on ─ forwards ─┘
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { calmDown, giveWay, hurry } from '../../sys/priority.js';
import type { Workers } from '../engine/workers.js';
import type { GivingDirector } from '../takeover/giver.js';
import { notOffered, offerOf } from '../takeover/offer.js';
import type { Taker } from '../takeover/taker.js';
import type { Parts } from './parts.js';

/** Time for the workers of a takeover to begin, ms. */
const FORWARDS_MS = 4000;
/**
 * Time, ms, in which this process starts nothing more and the other one does not end: clients and
 * realservers on the same machine need the processors for what waited.
 */
const SETTLES_MS = 200;
/** Time for the last answer to a successor, ms. */
const LEAVE_MS = 50;

/** The running director stops, and this one goes on at the same place: its workers `stand by`. */
export async function takeOver(parts: Parts, workers: Workers, taker: Taker): Promise<void> {
  const began = performance.now();
  const positions = await taker.go();
  const paused = performance.now() - began;
  parts.keeper?.takeOver();
  const forwards = new Promise<void>((resolve, reject) => {
    parts.whenRebuilt = resolve;
    setTimeout(reject, FORWARDS_MS, new Error('no takeover: the workers did not begin in time')).unref();
  });
  workers.goOn(positions);
  await forwards;
  const ms = Math.round(performance.now() - began);
  calmDown();
  await sleep(SETTLES_MS);
  await taker.done();
  parts.keeper?.write();
  workers.set.useOwnMaps();
  await parts.attempt(() => parts.maps?.removeForeign());
  parts.log.info({ ms, paused: Math.round(paused) }, `took over from process ${taker.pid}`);
}

/** A process that goes on. `yields`: it starts when this one has stopped. */
export interface Succession {
  readonly pid: number;
  readonly yields: boolean;
}

/** What a director does when another process takes over from it. `leaveTo`: its last step. */
export function giving(parts: Parts, leaveTo: (to: Succession) => void): GivingDirector {
  return {
    offer: () => {
      const { config, devices, workers, keeper } = parts;
      if (workers === undefined) return 'the running director is not up yet';
      const refusal = notOffered(devices, keeper !== undefined);
      if (refusal !== undefined) return refusal;
      workers.send({ kind: 'deepen' });
      return offerOf(config, devices, workers.set.transfer);
    },
    pause: async () => {
      hurry();
      const positions = await parts.workers!.pause();
      parts.keeper?.giveUp();
      return positions;
    },
    takeBack: () => {
      calmDown();
      return takeBack(parts);
    },
    leave: async (pid) => {
      calmDown();
      giveWay();
      await withdraw(parts);
      // After the answer, which goes by the socket.
      setTimeout(() => leaveTo({ pid, yields: false }), LEAVE_MS);
    },
    yieldTo: (pid) => void setTimeout(() => leaveTo({ pid, yields: true }), LEAVE_MS),
  };
}

/** The successor has failed. */
async function takeBack(parts: Parts): Promise<void> {
  parts.keeper?.takeOver();
  parts.keeper?.write();
  await parts.workers?.takeBack(parts.requests.replay());
  parts.sendNetwork();
  parts.workers?.attachAll();
}

/** Leaves the names of the sockets to the successor. */
async function withdraw(parts: Parts): Promise<void> {
  for (const socket of parts.sockets) await parts.attempt(() => socket.withdraw());
  await parts.attempt(() => parts.metrics?.close());
  parts.metrics = undefined;
  await parts.attempt(() => parts.console?.close());
  parts.console = undefined;
}
