/** A listening socket that takes connections to addresses which are not its own: what nft's `tproxy` needs (IP_TRANSPARENT). */
import type net from 'node:net';
import { check, setsockopt } from '../sys/libc.js';

const SOL_IP = 0;
const IP_TRANSPARENT = 19;

/** Throws a SystemError without CAP_NET_ADMIN. */
export function makeTransparent(server: net.Server): void {
  check(setsockopt(descriptorOf(server), SOL_IP, IP_TRANSPARENT, Int32Array.of(1), 4), 'setsockopt IP_TRANSPARENT');
}

/** Node keeps it in the handle and has no public way to ask. */
function descriptorOf(server: net.Server): number {
  const { _handle } = server as net.Server & { _handle?: { fd: number } };
  if (_handle === undefined) throw new Error('the server is not listening');
  return _handle.fd;
}
