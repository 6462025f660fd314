/** Sends single frames by a packet socket in the current namespace. */
import { check, close, errno, errnoName, ifNameToIndex, send, socket } from '../sys/libc.js';
import { AF_PACKET, bindPacket, SOCK_CLOEXEC, SOCK_RAW } from '../sys/packet-socket.js';

/**
 * Opens a packet socket on the device; needs CAP_NET_RAW. `protocol` is the EtherType to send and
 * receive (a TUN device has no header that would tell it). Throws a SystemError if there is no such
 * device.
 */
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

/** The queue is full, or the device is down: the frame counts as lost on the wire. */
const LOST = ['ENOBUFS', 'ENETDOWN'];

/** Sends one frame. Throws a SystemError, except for the errors in LOST. */
export function sendFrame(fd: number, bytes: Uint8Array): void {
  const sent = Number(send(fd, bytes, bytes.length, 0));
  if (sent < 0 && LOST.includes(errnoName(errno()))) return;
  check(sent, 'send');
}
