/** The client's UDP job: one socket for each flow; each datagram waits for its echo. */
import dgram from 'node:dgram';
import { isIPv6 } from '../../wire/address.js';
import type { Answer, Result, Target, WorkOf } from './job.js';
import { endpointOf, runAll } from './run-all.js';

const PATIENCE_MS = 8000;
const CONCURRENCY = 10;

export function echo({ targets, count, datagrams, firstPort }: WorkOf<'echo'>): Promise<Result> {
  return runAll(count, CONCURRENCY, async (i) => {
    const target = targets[i % targets.length]!;
    const socket = await open(target, firstPort + i);
    try {
      const answers: Answer[] = [];
      for (let n = 0; n < datagrams; n++) answers.push(await exchange(socket, target, `datagram ${i}.${n}`));
      return answers;
    } finally {
      socket.close();
    }
  });
}

/** A connected socket: only datagrams from the VIP count as answers. */
async function open(target: Target, localPort: number): Promise<dgram.Socket> {
  const socket = dgram.createSocket(isIPv6(target.address) ? 'udp6' : 'udp4');
  await new Promise<void>((resolve, reject) => socket.once('error', reject).bind(localPort, () => resolve()));
  await new Promise<void>((resolve) => socket.connect(target.port, target.address, () => resolve()));
  return socket;
}

function exchange(socket: dgram.Socket, target: Target, text: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no echo from ${endpointOf(target)}`)), PATIENCE_MS);
    socket.once('message', (message) => {
      clearTimeout(timer);
      const [name = '', ...rest] = String(message).split(' ');
      if (rest.join(' ') !== text) reject(new Error(`echo of "${text}" came back as "${message}"`));
      else resolve({ name, localPort: socket.address().port, target: endpointOf(target), seen: '', at: '' });
    });
    socket.once('error', reject); // e.g. an ICMP port unreachable
    socket.send(text);
  });
}
