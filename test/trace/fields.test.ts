/** The lines "field: before -> after" of a trace. */
import { expect, it } from 'vitest';
import { differences, fieldsOf } from '../../src/trace/fields.js';

/** An Ethernet frame with IPv4 and TCP; the options of TCP are left out. */
function segment({ seq = 7, ack = 9, flags = 0x10, window = 64 } = {}): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 20);
  const view = new DataView(frame.buffer);
  view.setUint16(12, 0x0800);
  frame.set([0x45, 0, 0, 40], 14);
  frame.set([64, 6], 22);
  frame.set([10, 0, 0, 1, 10, 0, 0, 100], 26);
  view.setUint32(38, seq);
  view.setUint32(42, ack);
  frame.set([0x50, flags], 46);
  view.setUint16(48, window);
  return frame;
}

it('the numbers, flags and window of TCP, which a SYN proxy changes', () => {
  const [before, after] = [segment(), segment({ seq: 0xfffffff0, ack: 0, flags: 0x02, window: 512 })];
  expect(differences(fieldsOf(before), fieldsOf(after))).toEqual([
    'sequence number: 7 -> 4294967280',
    'acknowledgement number: 9 -> 0',
    'TCP flags: [.] -> [S]',
    'window: 64 -> 512',
  ]);
});

it('nothing where nothing changed, and no numbers of a segment that is cut', () => {
  expect(differences(fieldsOf(segment()), fieldsOf(segment()))).toEqual([]);
  expect([...fieldsOf(segment().subarray(0, 44)).keys()]).toContain('source port');
  expect([...fieldsOf(segment().subarray(0, 44)).keys()]).not.toContain('window');
});
