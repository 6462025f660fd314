/** The frame of a flood: its checksums stay right whatever the program in the kernel writes. */
import { describe, expect, it } from 'vitest';
import {
  clientAt,
  complementAt,
  ID,
  KINDS,
  type Kind,
  LENGTH,
  STAMP,
  STAMP_COMPLEMENT,
  template,
} from '../../../src/lab/flood/frame.js';
import { fold, pseudo4, sum } from '../../../src/wire/checksum.js';

const target = { srcMac: '02:00:00:00:0c:00', dstMac: '02:00:00:00:0d:00', vip: '10.0.0.100', port: 80 };

/** Writes what the BPF program writes. */
function numbered(
  frame: Uint8Array,
  kind: Kind,
  complement: number,
  client: number,
  port: number,
  stamp: number,
): DataView {
  const view = new DataView(frame.slice().buffer);
  view.setUint16(clientAt(kind).address + 2, client);
  for (const at of [ID, complement]) view.setUint16(at, ~client & 0xffff);
  view.setUint16(clientAt(kind).port, port);
  view.setUint16(complement + 2, ~port & 0xffff);
  view.setUint32(STAMP, stamp, true);
  view.setUint32(STAMP_COMPLEMENT, ~stamp >>> 0, true);
  return view;
}

describe.each([...KINDS, 'replies'] as const)('the frame of a flood, %s', (kind) => {
  it.each([
    [0, 0x8000, 0],
    [1, 0xffff, 0xffff_ffff],
    [0xabcd, 0x9234, 0x1234_5679],
  ])('has right checksums: client %i, port %i, stamp %i', (client, port, stamp) => {
    for (const opening of [true, false]) {
      const view = numbered(template(kind, target, opening), kind, complementAt(kind), client, port, stamp);
      expect(fold(sum(view, 14, 20))).toBe(0xffff);
      const pseudo = pseudo4(view.getInt32(26), view.getInt32(30), view.getUint8(23), LENGTH - 34);
      expect(fold(sum(view, 34, LENGTH - 34, pseudo))).toBe(0xffff);
    }
  });
});
