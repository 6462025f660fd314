/** What a `decode` gives: the fields, or in one line why the bytes are none. No decode ever throws. */
export type Decoded<T extends object> = T | string;

export function isBad<T extends object>(decoded: Decoded<T>): decoded is string {
  return typeof decoded === 'string';
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

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
