import { check, errno, errnoName, send } from '../../sys/libc.js';

/** The queue is full, or the device is down: as if the wire had lost it. */
const LOST = ['ENOBUFS', 'ENETDOWN'];

/** Throws SystemError for any other reason than that the device does not take it now. */
export function sendFrame(fd: number, bytes: Uint8Array): void {
  const sent = Number(send(fd, bytes, bytes.length, 0));
  if (sent < 0 && LOST.includes(errnoName(errno()))) return;
  check(sent, 'send');
}
