import { describe, expect, it } from 'vitest';
import { LearnedMtus } from '../../src/device/learned-mtu.js';
import { packet } from '../support/packet.js';

const IP = 14;
const eth = () => packet().eth('02:00:00:00:0d:00', '02:00:00:00:c0:01');
const tcp4 = (src: string, dst: string) => eth().ipv4({ src, dst }).tcp({ sport: 1000, dport: 80 }).payload(40).bytes();
const tcp6 = (src: string, dst: string) => eth().ipv6({ src, dst }).tcp({ sport: 1000, dport: 80 }).payload(40).bytes();

/** ICMP about a packet, to its sender. */
function about(quoted: Uint8Array, type: number, code: number, mtu: number): Uint8Array {
  const six = quoted[12] === 0x86;
  const ip = six ? eth().ipv6({ src: 'fd00::fe', dst: 'fd00::1' }) : eth().ipv4({ src: '10.0.0.254', dst: '10.0.0.1' });
  const frame = (six ? ip.icmp6({ type, code }) : ip.icmp({ type, code })).payload(quoted.subarray(IP)).bytes();
  new DataView(frame.buffer, frame.byteOffset).setUint16(IP + (six ? 40 : 20) + 6, mtu);
  return frame;
}

function noted(...frames: Uint8Array[]): LearnedMtus {
  const learned = new LearnedMtus();
  for (const frame of frames)
    learned.note(frame, new DataView(frame.buffer, frame.byteOffset, frame.length), 0, frame.length);
  return learned;
}

describe('MTUs are learned', () => {
  const [packet4, packet6] = [tcp4('10.0.0.1', '10.0.0.100'), tcp6('fd00::1', 'fd00::100')];

  it('of the path of the quoted packet, by both families', () => {
    const learned = noted(about(packet4, 3, 4, 1480), about(packet6, 2, 0, 1400));
    expect(learned.find(4, packet4, IP)).toBe(1480);
    expect(learned.find(6, packet6, IP)).toBe(1400);
    expect(learned.find(4, tcp4('10.0.0.1', '10.0.0.101'), IP)).toBeUndefined();
    expect(learned.find(4, tcp4('10.0.0.100', '10.0.0.1'), IP)).toBeUndefined();
  });

  it('from nothing else: other errors, no MTU, cut messages, other packets', () => {
    const tooBig = about(packet4, 3, 4, 1480);
    const learned = noted(
      about(packet4, 3, 1, 1480),
      about(packet4, 3, 4, 0),
      about(packet6, 1, 0, 1400),
      packet4,
      ...Array.from({ length: 62 }, (_, n) => tooBig.slice(0, n)),
    );
    expect(learned.find(4, packet4, IP)).toBeUndefined();
    expect(learned.find(6, packet6, IP)).toBeUndefined();
  });
});
