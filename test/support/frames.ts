/** Frames for the device tests, and a check of their checksums that shares no code with src. */
import { type Batch, Batch as Frames } from '../../src/device/batch.js';
import type { Device } from '../../src/device/device.js';
import type { Umem } from '../../src/device/umem.js';

/**
 * A frame of `len` bytes that depend on `seed`. Its EtherType is experimental, so no stack answers
 * it.
 */
export function plainFrame(len: number, seed: number): Uint8Array {
  const bytes = Uint8Array.from({ length: len }, (_, i) => (i * 7 + seed * 31) & 0xff);
  bytes.set([2, 0, 0, 0, 0, 0xb0, 2, 0, 0, 0, 0, 0xa0, 0x88, 0xb5]);
  return bytes;
}

/** The ones' complement sum, computed independently of src: big-endian words, carried at once. */
function onesSum(bytes: Uint8Array, start = 0): number {
  let sum = start;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) + (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

/** '' when lengths and checksums of an IPv4 or IPv6 frame are right, otherwise the error. */
export function wrongIn(frame: Uint8Array): string {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let l3 = 14;
  while ([0x8100, 0x88a8].includes(view.getUint16(l3 - 2))) l3 += 4;
  const v4 = frame[l3]! >> 4 === 4;
  const l4 = l3 + (v4 ? (frame[l3]! & 15) * 4 : 40);
  const end = l3 + (v4 ? view.getUint16(l3 + 2) : 40 + view.getUint16(l3 + 4));
  if (end > frame.length) return `IP length ${end - l3} in ${frame.length - l3} bytes`;
  if (v4 && onesSum(frame.subarray(l3, l4)) !== 0xffff) return 'IP header checksum';
  const protocol = v4 ? frame[l3 + 9]! : frame[l3 + 6]!;
  const addresses = v4 ? frame.subarray(l3 + 12, l3 + 20) : frame.subarray(l3 + 8, l3 + 40);
  const pseudo = onesSum(addresses, (protocol + end - l4) % 0xffff);
  if (![6, 17, 58].includes(protocol)) return '';
  return onesSum(frame.subarray(l4, end), pseudo) === 0xffff ? '' : `checksum of protocol ${protocol}`;
}

/**
 * Receives frames from a device until `enough` returns true or the time is over. Frames are copied
 * and freed.
 */
export async function collect(
  device: Device,
  umem: Umem,
  enough: (frames: Uint8Array[]) => boolean,
  timeoutMs = 30_000,
): Promise<Uint8Array[]> {
  const frames: Uint8Array[] = [];
  const batch = new Frames(32);
  for (const end = Date.now() + timeoutMs; Date.now() < end && !enough(frames); ) {
    if (device.rx(batch) === 0) await new Promise((done) => setTimeout(done, 1));
    drain(batch, umem, frames);
  }
  return frames;
}

export function drain(batch: Batch, umem: Umem, into: Uint8Array[]): void {
  for (let i = 0; i < batch.n; i++) {
    const offset = batch.offsets[i]!;
    into.push(umem.u8.slice(offset, offset + batch.lengths[i]!));
    umem.free(offset);
  }
  batch.n = 0;
}

/** Sends `frames` by the device, as many in each batch as fit. */
export function send(device: Device, umem: Umem, frames: Uint8Array[]): number {
  let sent = 0;
  const batch = new Frames(32);
  frames.forEach((bytes, i) => {
    batch.push(umem.put(bytes), bytes.length);
    if (batch.n === batch.capacity || i === frames.length - 1) sent += device.tx(batch);
  });
  return sent;
}

export const isPlain = (frame: Uint8Array): boolean => frame[12] === 0x88 && frame[13] === 0xb5;

/**
 * A Node.js script that sends `count` datagrams to 10.9.0.2, one each ms. `length`: an expression
 * of n, the number of those before.
 */
export function datagramSender(count: number, length: string): string {
  return `const s=require('dgram').createSocket('udp4');let n=0;
    const t=setInterval(()=>{s.send(Buffer.alloc(${length},n),9,'10.9.0.2');if(++n===${count}){clearInterval(t);setTimeout(()=>s.close(),50)}},1)`;
}

/** The UDP frames over IPv4 that come in, `count` of them or fewer. */
export async function collectUdp(device: Device, umem: Umem, count: number): Promise<Uint8Array[]> {
  const isUdp = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 0 && frame[23] === 17;
  return (await collect(device, umem, (all) => all.filter(isUdp).length >= count)).filter(isUdp);
}
