/** Single frames and packets by a device of the namespace one is in. */
import { check, close, errno, errnoName, ifNameToIndex, send, socket } from '../sys/libc.js';
import { AF_PACKET, bindPacket, SOCK_CLOEXEC, SOCK_RAW } from '../sys/packet-socket.js';

/** Root only. Throws SystemError: the device is gone. `protocol`: what is sent and heard (a TUN has no other way to know). */
export function openWire(dev: string, protocol: number): number {
  const fd = check(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), 'socket');
  try {
    bindPacket(fd, ifNameToIndex(dev), protocol);
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** The queue is full, or the device is down: as if the wire had lost it. */
const LOST = ['ENOBUFS', 'ENETDOWN'];

/** Throws SystemError for any other reason than that the device does not take it now. */
export function sendFrame(fd: number, bytes: Uint8Array): void {
  const sent = Number(send(fd, bytes, bytes.length, 0));
  if (sent < 0 && LOST.includes(errnoName(errno()))) return;
  check(sent, 'send');
}
