/**
 * Authentic messages: each is followed by a trailer when the group has a key. The kernel does not
 * know it, so every director of such a group must be ulvs.
 *
 *      message | start of the sender 64 | number 64 | HMAC-SHA-256 of message, start, number and the sender's address
 *
 * `start` is the time, in microseconds, at which the sender began. A pair of start and number that
 * is not higher than the last one of the same address is a repetition.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const HASH = 32;
export const TRAILER = 8 + 8 + HASH;

/** Signs and checks the messages of one group. */
export class SyncAuth {
  private readonly start = BigInt(Math.floor(Date.now() * 1000));
  private number = 0n;
  private readonly last = new Map<string, { start: bigint; number: bigint }>();

  constructor(private readonly key: string) {}

  /** The message with its trailer. `from`: the address that it will be sent from. */
  sign(message: Uint8Array, from: string): Uint8Array {
    const signed = Buffer.alloc(message.length + TRAILER);
    signed.set(message);
    signed.writeBigUInt64BE(this.start, message.length);
    signed.writeBigUInt64BE(++this.number, message.length + 8);
    signed.set(this.hash(signed.subarray(0, message.length + 16), from), message.length + 16);
    return signed;
  }

  /** The message without its trailer; undefined when it is forged, repeated or has none. */
  open(datagram: Uint8Array, from: string): Uint8Array | undefined {
    if (datagram.length <= TRAILER) return undefined;
    const all = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
    const at = all.length - TRAILER;
    if (!timingSafeEqual(all.subarray(at + 16), this.hash(all.subarray(0, at + 16), from))) return undefined;
    if (!this.isNew(from, all.readBigUInt64BE(at), all.readBigUInt64BE(at + 8))) return undefined;
    return datagram.subarray(0, at);
  }

  private isNew(from: string, start: bigint, number: bigint): boolean {
    const last = this.last.get(from);
    if (last !== undefined && (start < last.start || (start === last.start && number <= last.number))) return false;
    this.last.set(from, { start, number });
    return true;
  }

  private hash(data: Uint8Array, from: string): Buffer {
    return createHmac('sha256', this.key).update(data).update(from).digest();
  }
}
