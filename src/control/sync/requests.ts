/**
 * Messages between directors of ulvs that the kernel's daemon ignores: it takes a message whose
 * last two bytes of the header are not 0 for one of version 0 with no connections.
 *
 *      request   | 0 | syncid | 8 16 | 0 | 1 | nonce 16 |            a backup has joined: send everything
 *      answer    | 0 | syncid | size 16 | connections | 1 | nonce 16 | connections ...
 *
 * The nonce is the backup's. Other backups ignore the answer.
 */
import { MESSAGE_HEADER } from '../../wire/sync.js';
import { writeHeader } from '../../wire/sync-message.js';

const NONCE = 6;

export function encodeRequest(syncid: number, nonce: number): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_HEADER);
  const view = new DataView(bytes.buffer);
  writeHeader(view, syncid, MESSAGE_HEADER, 0);
  view.setUint16(NONCE, nonce);
  return bytes;
}

/** The nonce of a request or answer; 0 for any other message. */
export function nonceOf(bytes: Uint8Array): number {
  const isVersion1 = bytes.length >= MESSAGE_HEADER && bytes[0] === 0 && bytes[5] === 1;
  return isVersion1 ? (bytes[NONCE]! << 8) | bytes[NONCE + 1]! : 0;
}

/** Makes an answer of a message, or with nonce 0 a message of an answer. */
export function setNonce(bytes: Uint8Array, nonce: number): void {
  bytes[NONCE] = nonce >> 8;
  bytes[NONCE + 1] = nonce & 0xff;
}

export function isRequest(bytes: Uint8Array): boolean {
  return nonceOf(bytes) !== 0 && bytes[4] === 0;
}
