/**
 * The thread of a monitor (monitor.ts): poll, receive, decode, post. It ends when the eventfd is
 * readable.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as libc from '../sys/libc.js';
import { type Change, decodeChange } from './change.js';
import { POLLIN } from './constants.js';
import { MalformedMessage } from './error.js';
import { HOST_LITTLE, messages } from './message.js';
import type { MonitorDescriptors, MonitorReport } from './monitor.js';
import { DATAGRAM_SIZE, receive } from './socket.js';

/** Changes in one report at most, so that many changes arrive in portions. */
const PORTION = 512;
/** ms; a thread that is terminated from outside ends when poll returns. */
const POLL_MS = 1000;

const { fd, wakeFd } = workerData as MonitorDescriptors;
const buffer = new Uint8Array(DATAGRAM_SIZE);
/** Two of struct pollfd { s32 fd; s16 events, revents }. */
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

/** Waits for input. Returns true when the thread must end. */
function woken(timeoutMs = POLL_MS): boolean {
  libc.poll(new Uint8Array(polled.buffer), 2, timeoutMs);
  return polled.getInt16(14, HOST_LITTLE) !== 0;
}

/**
 * Receives what is queued, a portion at most. A loss is reported when the queue is empty: until
 * then the kernel loses further changes without another error (NETLINK_S_CONGESTED), so an earlier
 * dump could miss some.
 */
function drain(): MonitorReport {
  const changes: Change[] = [];
  while (changes.length < PORTION) {
    if (receiveInto(changes)) continue;
    const report = { changes, ...(lost !== undefined && { lost }) };
    lost = undefined;
    return report;
  }
  return { changes };
}

/** Appends the changes of one datagram. Returns false when there was none. */
function receiveInto(changes: Change[]): boolean {
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

/** The reason of a loss. Any other error ends the thread, and the monitor reports it. */
function reasonOf(error: unknown): string {
  if (error instanceof MalformedMessage) return error.message;
  if (error instanceof libc.SystemError && error.code === 'ENOBUFS') return 'the kernel dropped changes (ENOBUFS)';
  throw error;
}
