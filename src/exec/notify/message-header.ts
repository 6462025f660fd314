/**
 * struct msghdr and struct iovec (sendmsg(2), recvmsg(2)) in the memory of another process. Lengths
 * are the program's words: nothing is read or reserved before they are checked.
 *
 *   msghdr, 56:  0 name  8 namelen  16 iov  24 iovlen  32 control  40 controllen  48 flags
 *   iovec, 16:   0 base  8 len
 */
import { type Part, peek } from '../../sys/process-memory.js';
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

/** `bytes`, as far as there is room, and where they go. */
export function scattered(vectors: readonly Vector[], bytes: Uint8Array): { parts: Part[]; length: number } {
  const parts: Part[] = [];
  let length = 0;
  for (const { base, length: room } of vectors) {
    if (length === bytes.length) break;
    const part = bytes.subarray(length, length + Number(room));
    parts.push({ at: base, bytes: part });
    length += part.length;
  }
  return { parts, length };
}

/** What recvmsg(2) returns in its header: no control data, and `flags`. */
export function returnedHeader({ at }: MessageHeader, nameLength: number, flags: number): Part[] {
  const rest = new Uint8Array(12); // controllen, flags
  new DataView(rest.buffer).setUint32(8, flags, true);
  return [
    { at: at + 8n, bytes: Uint8Array.of(nameLength, 0, 0, 0) },
    { at: at + 40n, bytes: rest },
  ];
}
