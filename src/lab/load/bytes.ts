/**
 * A stream of bytes that client and server both can generate: AES-128-CTR of zeros with a zero key.
 */
import { createCipheriv, createHash } from 'node:crypto';
import { Readable } from 'node:stream';

const CHUNK = Buffer.alloc(64 * 1024);

export function* deterministicBytes(total: number): Generator<Buffer> {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  for (let left = total; left > 0; left -= CHUNK.length)
    yield cipher.update(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
}

export function byteStream(total: number): Readable {
  return Readable.from(deterministicBytes(total), { objectMode: false });
}

export function sha256OfBytes(total: number): string {
  const hash = createHash('sha256');
  for (const chunk of deterministicBytes(total)) hash.update(chunk);
  return hash.digest('hex');
}
