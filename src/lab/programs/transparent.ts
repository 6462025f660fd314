/** IP_TRANSPARENT: a socket that may use addresses of other hosts, as nft's `tproxy` requires. */
import type dgram from 'node:dgram';
import type net from 'node:net';
import { check, setsockopt } from '../../sys/libc.js';

const SOL_IP = 0;
const IP_TRANSPARENT = 19;

/**
 * Sets IP_TRANSPARENT on a socket that is bound or listens. Throws a SystemError without
 * CAP_NET_ADMIN.
 */
export function makeTransparent(socket: net.Server | dgram.Socket): void {
  check(setsockopt(descriptorOf(socket), SOL_IP, IP_TRANSPARENT, Int32Array.of(1), 4), 'setsockopt IP_TRANSPARENT');
}

/**
 * The file descriptor of a socket. Node.js has no public way to get it: a server has a field
 * _handle, a datagram socket has its state behind a symbol.
 */
function descriptorOf(socket: net.Server | dgram.Socket): number {
  const held = socket as { _handle?: Handle };
  const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol');
  const hidden = state && (socket as unknown as Record<symbol, { handle?: Handle }>)[state]?.handle;
  const handle = held._handle ?? hidden;
  if (handle === undefined) throw new Error('the socket is not bound');
  return handle.fd;
}

interface Handle {
  readonly fd: number;
}
