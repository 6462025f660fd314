/**
 * The IPIP endpoint of a Tun realserver whose kernel has no ipip module: `node decapsulator.js TUN`
 * A raw socket gets the packets of protocol 4 whole; what is behind the outer header goes into the TUN.
 *
 *     eth0 ─ kernel ─ raw socket: | outer IP (DIP->RIP, 4) | inner IP (CIP->VIP) … |
 *                     TUN write:                           | inner IP (CIP->VIP) … | ─ kernel ─ the server on the VIP
 */
import { constants, openSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { IFF_NO_PI, IFF_TUN, tunSetInterface } from '../sys/interface.js';

const IPIP = 4;
const SHORTEST = 20;

interface RawSocket {
  on(event: 'message', listener: (packet: Buffer, source: string) => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
  setOption(level: number, option: number, value: number): void;
}
interface RawModule {
  createSocket(options: { protocol: number; bufferSize: number }): RawSocket;
  SocketLevel: { SOL_SOCKET: number };
  SocketOption: { SO_RCVBUF: number };
}

/** Where the inner IPv4 packet of an IPIP packet lies, or undefined when lengths or versions do not fit (RFC 2003, 3.1). */
export function innerPacket(outer: Buffer): Buffer | undefined {
  if (outer.length < SHORTEST || outer[0]! >> 4 !== 4) return undefined;
  const header = (outer[0]! & 15) * 4;
  const inner = outer.subarray(header, Math.min(outer.readUInt16BE(2), outer.length));
  if (header < SHORTEST || inner.length < SHORTEST || inner[0]! >> 4 !== 4) return undefined;
  return inner.readUInt16BE(2) > inner.length ? undefined : inner.subarray(0, inner.readUInt16BE(2));
}

function openTun(name: string): number {
  const fd = openSync('/dev/net/tun', constants.O_RDWR);
  tunSetInterface(fd, name, IFF_TUN | IFF_NO_PI);
  return fd;
}

function main(name: string | undefined): void {
  if (!name) throw new Error('usage: decapsulator TUN');
  const raw = createRequire(import.meta.url)('raw-socket') as RawModule;
  const tun = openTun(name);
  const socket = raw.createSocket({ protocol: IPIP, bufferSize: 65_536 });
  socket.setOption(raw.SocketLevel.SOL_SOCKET, raw.SocketOption.SO_RCVBUF, 1 << 20);
  socket.on('error', (error) => console.error(error.message)); // of one packet; the next may do
  socket.on('message', (packet) => {
    const inner = innerPacket(packet);
    if (inner) writeSync(tun, inner);
  });
  console.log('ready');
}

if (process.argv[1]?.endsWith('decapsulator.js')) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
  try {
    main(process.argv[2]);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}
