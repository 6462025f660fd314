/** A socket that takes and sends what is for other addresses than its host's: what nft's `tproxy` needs (IP_TRANSPARENT). */
import type dgram from 'node:dgram';
import type net from 'node:net';
import { check, setsockopt } from '../../sys/libc.js';

const SOL_IP = 0;
const IP_TRANSPARENT = 19;

/** Of a socket that is bound or listens. Throws a SystemError without CAP_NET_ADMIN. */
export function makeTransparent(socket: net.Server | dgram.Socket): void {
  check(setsockopt(descriptorOf(socket), SOL_IP, IP_TRANSPARENT, Int32Array.of(1), 4), 'setsockopt IP_TRANSPARENT');
}

/** Node has no public way to ask: a server keeps its handle by name, a datagram socket behind a symbol. */
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
