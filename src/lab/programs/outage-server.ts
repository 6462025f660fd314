/**
 * The realserver of an outage lab: `node outage-server.js PORT UDP-PORT PACE ADDRESS…`. It streams
 * a block each PACE ms, answers small requests and echoes datagrams (measure.ts). It ends when its
 * input ends.
 */
import dgram from 'node:dgram';
import net, { type Socket } from 'node:net';
import { BLOCK, BULK, byteAt, SMALL } from '../outage/measure.js';

/** The content repeats after 64 KiB: the bytes of one period. */
const CONTENT = Buffer.from(Array.from({ length: 1 << 16 }, (_, i) => byteAt(i)));

const streams = new Map<Socket, number>();

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => streams.delete(socket));
  socket.once('data', (line) => {
    if (line.toString() === 'stream\n') streams.set(socket, 0);
    else if (line.toString() === 'bulk\n') sendBulk(socket, 0);
    else socket.end(CONTENT.subarray(0, SMALL));
  });
}

/** As fast as the client takes it. */
function sendBulk(socket: Socket, from: number): void {
  if (from >= BULK) return void socket.end();
  const piece = CONTENT.subarray(0, Math.min(CONTENT.length, BULK - from));
  socket.write(piece, (error) => (error == null ? sendBulk(socket, from + piece.length) : undefined));
}

/** One block for each stream whose client keeps up. */
function sendBlocks(): void {
  for (const [socket, at] of streams) {
    if (socket.writableLength > BLOCK * 64) continue;
    const begin = at & 0xffff;
    const first = CONTENT.subarray(begin, begin + BLOCK);
    socket.write(first);
    streams.set(socket, at + first.length);
  }
}

function main([tcp, udp, pace, ...addresses]: readonly string[]): void {
  net.createServer(serve).listen({ port: Number(tcp), host: '0.0.0.0', backlog: 4096 });
  for (const address of addresses) {
    const socket = dgram.createSocket('udp4');
    socket.on('error', () => {});
    socket.on('message', (data, { port, address: from }) => socket.send(data, port, from, () => {}));
    socket.bind(Number(udp), address);
  }
  setInterval(sendBlocks, Number(pace));
  process.stdin.on('end', () => process.exit(0)).resume();
  console.log('ready');
}

main(process.argv.slice(2));
