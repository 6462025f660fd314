/** The result of the `decode` functions, and what they share. */

/** The fields, or a line of text that says what is wrong with the bytes. No `decode` throws. */
export type Decoded<T extends object> = T | string;

/** True when the bytes could not be decoded. */
export function isBad<T extends object>(decoded: Decoded<T>): decoded is string {
  return typeof decoded === 'string';
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One array of all parts. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const EMPTY: Uint8Array = new Uint8Array(0);
