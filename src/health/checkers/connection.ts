/** A TCP connection of a check: opened under the connect deadline, read until enough has come. */
import net from 'node:net';
import { type CheckSettings, LONGEST_ANSWER, type Place } from './checker.js';

/** What a reader says of the bytes so far: undefined wants more, else the answer is complete. */
export type Reader<T> = (bytes: Buffer) => T | undefined;

/**
 * Connects. Rejects with the error of the system, or after `connectTimeout`. The end of `signal`
 * closes the connection. `socket`: an unconnected socket to use.
 */
export function connect(
  { address, port }: Place,
  { connectTimeout }: Pick<CheckSettings, 'connectTimeout'>,
  signal: AbortSignal,
  socket: net.Socket = new net.Socket(),
): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const late = () => fail(new Error(`no connection within ${connectTimeout / 1000} s`));
    const timer = setTimeout(late, connectTimeout);
    signal.addEventListener('abort', () => fail(signal.reason), { once: true });
    socket.once('error', fail);
    socket.connect({ host: address, port }, () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}

/**
 * Ends a connection by RST, as HAProxy's checks do: neither side keeps it in TIME_WAIT.
 */
export function hangUp(socket: net.Socket): void {
  socket.resetAndDestroy();
}

/** Reads until `read` has an answer. Rejects when the peer closes first. */
export function readUntil<T>(socket: net.Socket, read: Reader<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    socket.on('error', reject);
    socket.once('end', () => reject(new Error('the server closed the connection before its answer was complete')));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const answer = read(bytes);
      if (answer !== undefined) resolve(answer);
      else if (bytes.length > LONGEST_ANSWER) reject(new Error('the answer is longer than 1 MiB'));
    });
  });
}
