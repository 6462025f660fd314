/** The thread of a monitor (see there): poll, receive all, decode, post. Ends when the eventfd becomes readable. */
import { parentPort, workerData } from 'node:worker_threads';
import * as libc from '../sys/libc.js';
import { type Change, decodeChange } from './change.js';
import { POLLIN } from './constants.js';
import { MalformedMessage } from './error.js';
import { HOST_LITTLE, messages } from './message.js';
import type { MonitorDescriptors, MonitorReport } from './monitor.js';
import { DATAGRAM_SIZE, receive } from './socket.js';

/** Changes a message may carry, so that a storm of them reaches the other side in portions. */
const PORTION = 512;
/** A thread that is stopped from outside notices it when poll returns. */
const POLL_MS = 1000;

const { fd, wakeFd } = workerData as MonitorDescriptors;
const buffer = new Uint8Array(DATAGRAM_SIZE);
/** struct pollfd { s32 fd; s16 events, revents } twice. */
const polled = new DataView(new ArrayBuffer(16));
polled.setInt32(0, fd, HOST_LITTLE);
polled.setInt16(4, POLLIN, HOST_LITTLE);
polled.setInt32(8, wakeFd, HOST_LITTLE);
polled.setInt16(12, POLLIN, HOST_LITTLE);

let lost: string | undefined;

while (!woken()) {
  let report: MonitorReport;
  do {
    report = drain();
    if (report.changes.length > 0 || report.lost !== undefined) parentPort?.postMessage(report);
  } while (report.changes.length >= PORTION && !woken(0));
}

/** Sleeps until there is something to do; true when it is time to end. */
function woken(timeoutMs = POLL_MS): boolean {
  libc.poll(new Uint8Array(polled.buffer), 2, timeoutMs);
  return polled.getInt16(14, HOST_LITTLE) !== 0;
}

/**
 * Takes what is queued, a portion at most. A loss is reported only when the queue is empty: until then the kernel goes
 * on losing changes without a word (NETLINK_S_CONGESTED), so a dump made earlier could miss some.
 */
function drain(): MonitorReport {
  const changes: Change[] = [];
  while (changes.length < PORTION) {
    if (take(changes)) continue;
    const report = { changes, ...(lost !== undefined && { lost }) };
    lost = undefined;
    return report;
  }
  return { changes };
}

/** One datagram's changes; false when none was there. */
function take(changes: Change[]): boolean {
  try {
    const datagram = receive(fd, buffer, libc.MSG_DONTWAIT);
    for (const message of datagram ? messages(datagram) : []) {
      const change = decodeChange(message);
      if (change !== undefined) changes.push(change);
    }
    return datagram !== undefined;
  } catch (error) {
    lost = reasonOf(error);
    return true;
  }
}

/** Everything else ends the thread; the monitor then reports it. */
function reasonOf(error: unknown): string {
  if (error instanceof MalformedMessage) return error.message;
  if (error instanceof libc.SystemError && error.code === 'ENOBUFS') return 'the kernel dropped changes (ENOBUFS)';
  throw error;
}
