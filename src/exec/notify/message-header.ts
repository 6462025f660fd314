/**
 * struct msghdr and struct iovec (sendmsg(2), recvmsg(2)) in the memory of another process. Lengths
 * are the program's words: nothing is read or reserved before they are checked.
 *
 *   msghdr, 56:  0 name  8 namelen  16 iov  24 iovlen  32 control  40 controllen  48 flags
 *   iovec, 16:   0 base  8 len
 */
import { peek, poke } from '../../sys/process.js';
import { Refusal } from '../refusal.js';

/** UIO_MAXIOV. */
const MAX_VECTORS = 1024;
const VECTOR_SIZE = 16;
const HEADER_SIZE = 56;
const LARGEST_LENGTH = 2n ** 63n - 1n;
/** Bytes of one request: SO_SNDBUF of a netlink socket. */
const LARGEST_REQUEST = 212_960n;

export interface Vector {
  readonly base: bigint;
  readonly length: bigint;
}

export interface MessageHeader {
  readonly at: bigint;
  readonly name: bigint;
  readonly nameLength: number;
  readonly vectors: readonly Vector[];
}

/** Throws a Refusal (EMSGSIZE, EINVAL), or a SystemError with EFAULT. */
export function readMessageHeader(thread: number, at: bigint): MessageHeader {
  const header = peek(thread, at, HEADER_SIZE);
  const count = header.readBigUInt64LE(24);
  if (count > MAX_VECTORS) throw new Refusal('EMSGSIZE');
  const raw = peek(thread, header.readBigUInt64LE(16), VECTOR_SIZE * Number(count));
  const vectors = Array.from({ length: Number(count) }, (_, i) => vectorAt(raw, VECTOR_SIZE * i));
  return { at, name: header.readBigUInt64LE(0), nameLength: header.readInt32LE(8), vectors };
}

function vectorAt(raw: Buffer, at: number): Vector {
  const length = raw.readBigUInt64LE(at + 8);
  if (length > LARGEST_LENGTH) throw new Refusal('EINVAL');
  return { base: raw.readBigUInt64LE(at), length };
}

/** A request of a program. Throws a Refusal (EMSGSIZE, ENODATA), or a SystemError with EFAULT. */
export function gather(thread: number, vectors: readonly Vector[]): Uint8Array {
  const total = vectors.reduce((sum, { length }) => sum + length, 0n);
  if (total > LARGEST_REQUEST) throw new Refusal('EMSGSIZE');
  if (total === 0n) throw new Refusal('ENODATA');
  return Buffer.concat(vectors.map(({ base, length }) => peek(thread, base, Number(length))));
}

/** Writes as much of `bytes` as there is room for; returns how many bytes. */
export function scatter(thread: number, vectors: readonly Vector[], bytes: Uint8Array): number {
  let done = 0;
  for (const { base, length } of vectors) {
    const part = bytes.subarray(done, done + Number(length));
    poke(thread, base, part);
    done += part.length;
  }
  return done;
}

/** Writes what recvmsg(2) returns in its header: no control data, and `flags`. */
export function writeBack(thread: number, { at }: MessageHeader, nameLength: number, flags: number): void {
  const numbers = Buffer.alloc(16);
  numbers.writeUInt32LE(nameLength, 0);
  poke(thread, at + 8n, numbers.subarray(0, 4));
  numbers.writeUInt32LE(flags, 8);
  poke(thread, at + 40n, Buffer.concat([Buffer.alloc(8), numbers.subarray(8, 12)]));
}
