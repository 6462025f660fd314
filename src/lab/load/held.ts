/**
 * Connections that are held open: each asks again and again over the same connection, until the
 * program gets SIGTERM. One that breaks is counted, and another one is opened in its place.
 *
 *     connect ─► ask ─► answer ─► 50 ms ─► ask …         broken: reset, closed, or no answer for 4 s
 */
import { setMaxListeners } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Loss, Result, Target, WorkOf } from './job.js';
import { endpointOf, printLine } from './run-all.js';

const PERIOD_MS = 50;
const PATIENCE_MS = 4000;
const QUESTION = 'GET / HTTP/1.1\r\nhost: lab\r\n\r\n';

/** What all connections have seen. */
class Tally {
  readonly result: Result = { answers: [], errors: [], ms: 0 };
  readonly losses: Loss[] = [];
  /** Connections that have got their first answer. */
  opened = 0;
  longestGapMs = 0;
}

export async function held({ targets, count, firstPort, ports }: WorkOf<'held'>): Promise<Result> {
  const tally = new Tally();
  const ended = new AbortController();
  setMaxListeners(0, ended.signal); // each connection waits with it
  process.on('SIGTERM', () => ended.abort());
  const began = performance.now();
  let next = firstPort;
  const slot = async (i: number) => {
    const target = targets[i % targets.length]!;
    while (!ended.signal.aborted && next < firstPort + ports && tally.result.errors.length < count)
      await hold(target, next++, tally, ended.signal);
  };
  await Promise.all(Array.from({ length: count }, (_, i) => slot(i)));
  const { result, losses, longestGapMs } = tally;
  return { ...result, ms: performance.now() - began, losses, longestGapMs };
}

/** Holds one connection until it breaks or `signal` aborts. */
async function hold(target: Target, localPort: number, tally: Tally, signal: AbortSignal): Promise<void> {
  const socket = net.connect({ host: target.address, port: target.port, localPort });
  socket.setNoDelay(true).setTimeout(PATIENCE_MS, () => socket.destroy(new Error('no answer')));
  // Between two questions nobody waits; the next question fails.
  let broken: Error | undefined;
  socket.on('error', (error) => {
    broken = error;
  });
  // A write to a closed socket has no event: without this a question would have no end.
  socket.on('close', () => {
    broken ??= new Error('closed');
  });
  let server = '';
  try {
    for (let asked = performance.now(); !signal.aborted; ) {
      if (broken !== undefined) throw broken;
      const name = await ask(socket);
      const gap = performance.now() - asked;
      if (server === '') printLine({ progress: [++tally.opened, 0] });
      else tally.longestGapMs = Math.max(tally.longestGapMs, gap);
      if (server !== '' && name !== server) throw new Error(`answered by ${name}, before by ${server}`);
      server = name;
      await sleep(PERIOD_MS, undefined, { signal }).catch(() => {});
      asked = performance.now();
    }
    tally.result.answers.push({ name: server, localPort, target: endpointOf(target), seen: '', at: '' });
  } catch (error) {
    const why = (error as Error).message;
    // One that never had an answer is a failure to connect, not a loss.
    if (server === '') tally.result.errors.push(`${endpointOf(target)}: ${why}`);
    else tally.losses.push({ target: endpointOf(target), at: Date.now(), why });
    await sleep(PERIOD_MS);
  } finally {
    socket.destroy();
  }
}

/** One question; resolves with the realserver that answers. */
function ask(socket: net.Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const done = (settle: () => void) => {
      socket.off('data', hear).off('error', fail).off('close', close);
      settle();
    };
    const hear = (chunk: Buffer) => {
      text += chunk;
      const [, length, body = ''] = /content-length: (\d+)(?=\r\n)[\s\S]*?\r\n\r\n([\s\S]*)$/i.exec(text) ?? [];
      if (length !== undefined && Buffer.byteLength(body) >= Number(length)) done(() => resolve(body.split(' ')[0]!));
    };
    const fail = (error: Error) => done(() => reject(error));
    const close = () => done(() => reject(new Error('closed')));
    socket.on('data', hear).on('error', fail).on('close', close);
    socket.write(QUESTION);
  });
}
