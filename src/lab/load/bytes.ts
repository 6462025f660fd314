/**
 * A stream of bytes that client and server both can generate: AES-128-CTR of zeros with a zero key.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

const CHUNK = Buffer.alloc(64 * 1024);

export function* deterministicBytes(total: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let left = total; left > 0; left -= CHUNK.length)
    yield cipher.update(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
}

export function byteStream(total: number): Readable {
  return Readable.from(deterministicBytes(total), { objectMode: false });
}

/** Period of a stream with a rate, in ms. */
const PACE_MS = 10;

/** The same at `rate` bytes a second. */
export function pacedStream(total: number, rate: number): Readable {
  return Readable.from(paced(total, rate), { objectMode: false });
}

async function* paced(total: number, rate: number): AsyncGenerator<Buffer> {
  const began = performance.now();
  let sent = 0;
  for (const chunk of deterministicBytes(total)) {
    yield chunk;
    sent += chunk.length;
    while ((performance.now() - began) * rate < sent * 1000) await sleep(PACE_MS);
  }
}

export function sha256OfBytes(total: number): string {
  const hash = createHash('sha256');
  for (const chunk of deterministicBytes(total)) hash.update(chunk);
  return hash.digest('hex');
}
