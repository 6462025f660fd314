/**
 * The supervisor's thread. It exists before the filter, so its own calls do not stop. Messages:
 *
 *   main                                  supervisor
 *     ── workerData: socket, table, wake ─►  connects to the director
 *     ◄───────────────────────── ready ──
 *     ── listener ───────────────────────►  answers stopped calls
 *     ◄── report: a line; end: a reason ──
 */
import { parentPort, workerData } from 'node:worker_threads';
import { blockSignals } from '../../sys/process.js';
import { Director } from '../director/director.js';
import { Loop } from './loop.js';
import { type FromSupervisor, NO_LISTENER, type SupervisorData } from './messages.js';

const { socket, table, wake } = workerData as SupervisorData;
const say = (message: FromSupervisor): void => parentPort!.postMessage(message);

const director = new Director(socket, table, wake, (reason) => say({ kind: 'end', reason }));
blockSignals();
director.tryConnect();

parentPort!.once('message', (listener: number) => {
  if (listener === NO_LISTENER) return;
  const loop = new Loop(listener, wake, director, (line) => say({ kind: 'report', line }));
  loop.run().catch((error: Error) => say({ kind: 'end', reason: error.stack ?? error.message }));
});
say({ kind: 'ready' });
