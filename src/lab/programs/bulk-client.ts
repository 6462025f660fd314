/**
 * A download of `ulvs lab flood`: `node bulk-client.js FROM VIP PORT [SECONDS]`. Fetches BULK
 * bytes, in SECONDS at least, compares each of them, prints a line of JSON (Bulk) and ends.
 */
import net from 'node:net';
import { BULK, type Bulk, byteAt } from '../outage/measure.js';

const [from = '', vip = '', port = '', seconds = '0'] = process.argv.slice(2);
const began = performance.now();
let got = 0;
let wrong = 0;
const socket = net.connect({ host: vip, port: Number(port), localAddress: from });
socket.setTimeout(30_000, () => socket.destroy());
socket.on('connect', () => socket.write('bulk\n'));
socket.on('data', (block) => {
  for (const byte of block) if (byte !== byteAt(got++)) wrong++;
  const early = (got / BULK) * Number(seconds) * 1000 - (performance.now() - began);
  if (early <= 0) return;
  socket.pause();
  setTimeout(() => socket.resume(), early);
});
socket.on('error', () => {});
socket.on('close', () => {
  const bulk: Bulk = { isWhole: got === BULK && wrong === 0, bytes: got, ms: Math.round(performance.now() - began) };
  console.log(JSON.stringify(bulk));
});
