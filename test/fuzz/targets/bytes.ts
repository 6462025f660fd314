/** Sound bytes from which the binary targets begin. */
import { readdirSync, readFileSync } from 'node:fs';
import { readScript } from '../../../src/capture/jsonl.js';
import { encodeAttribute, encodeU32 } from '../../../src/netlink/attribute.js';
import { RTA, RTM } from '../../../src/netlink/constants.js';
import { encodeLinkDump } from '../../../src/netlink/link.js';
import { encodeMessage, joinAligned } from '../../../src/netlink/message.js';
import { encodeNeighbourSet } from '../../../src/netlink/neighbour.js';
import { encodeRouteDump } from '../../../src/netlink/route.js';
import { encodeRuleDump } from '../../../src/netlink/rule.js';
import { joined } from '../engine/mutate.js';

const RECORDED = 'test/conformance/recorded';
const ETHERNET = 14;
/** Ethernet, IPv4 and UDP: what comes before a message of synchronisation. */
const SYNC_AT = ETHERNET + 20 + 8;

/** Folders of the recorded scenarios of a subject. */
export function scenarios(subject: string): string[] {
  return readdirSync(`${RECORDED}/${subject}`)
    .map((name) => `${RECORDED}/${subject}/${name}`)
    .filter((folder) => readdirSync(folder).includes('frames.jsonl'));
}

/** The frames that a scenario's director receives. */
export function framesOf(folder: string): { device: string; bytes: Uint8Array }[] {
  return readScript(`${folder}/frames.jsonl`).flatMap((line) =>
    line.kind === 'frame' ? [{ device: line.if, bytes: line.bytes }] : [],
  );
}

/** Frames, or the synchronisation messages of frames. */
export function hexOf(what: 'frames' | 'sync'): Uint8Array[] {
  if (what === 'frames')
    return scenarios('icmp')
      .flatMap(framesOf)
      .map(({ bytes }) => bytes);
  return scenarios('sync')
    .flatMap(framesOf)
    .filter(({ bytes }) => bytes.length > SYNC_AT && bytes[23] === 17)
    .map(({ bytes }) => bytes.slice(SYNC_AT));
}

function words(little: boolean, ...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [i, value] of values.entries()) view.setUint32(i * 4, value, little);
  return new Uint8Array(view.buffer);
}

export function pcapSeeds(): Uint8Array[] {
  const frame = Uint8Array.of(...Array.from({ length: 60 }, (_, i) => i));
  return [0xa1b2c3d4, 0xa1b23c4d].flatMap((magic) =>
    [true, false].map((little) =>
      joined(
        words(little, magic, 2, 0, 0, 0x40000, 1),
        words(little, 5, 6, 60, 60),
        frame,
        words(little, 5, 7, 60, 90),
        frame,
      ),
    ),
  );
}

export function pcapngSeed(): Uint8Array {
  const frame = new Uint8Array(60);
  const section = words(true, 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28);
  const options = joined(Uint8Array.of(2, 0, 4, 0, 101, 116, 104, 48, 9, 0, 1, 0, 9, 0, 0, 0, 0, 0, 0, 0));
  const device = joined(words(true, 1, 20 + options.length, 1, 0x40000), options, words(true, 20 + options.length));
  const enhanced = joined(words(true, 6, 92, 0, 1, 2, 60, 60), frame, words(true, 92));
  const simple = joined(words(true, 3, 76, 60), frame, words(true, 76));
  return joined(section, device, enhanced, simple);
}

export function netlinkSeeds(): Uint8Array[] {
  const address = encodeAttribute(RTA.DST, Uint8Array.of(10, 21, 0, 0));
  const hops = Uint8Array.of(
    16,
    0,
    0,
    2,
    2,
    0,
    0,
    0,
    8,
    0,
    5,
    0,
    10,
    1,
    0,
    2,
    16,
    0,
    5,
    199,
    3,
    0,
    0,
    0,
    8,
    0,
    5,
    0,
    10,
    2,
    0,
    2,
  ); // prettier-ignore
  const fixed = Uint8Array.of(2, 24, 0, 0, 252, 3, 0, 1, 0, 0, 0, 0);
  const metrics = encodeAttribute(RTA.METRICS | 0x8000, encodeU32(2, 1400));
  const route = joinAligned([
    fixed,
    address,
    encodeU32(RTA.TABLE, 1000),
    metrics,
    encodeAttribute(RTA.MULTIPATH, hops),
  ]);
  const bodies: readonly (readonly [number, Uint8Array])[] = [
    [RTM.NEWROUTE, route],
    [RTM.NEWNEIGH, encodeNeighbourSet(7, '10.0.0.1', '02:00:00:00:0b:01', 'PERMANENT')],
    [RTM.NEWLINK, encodeLinkDump()],
    [RTM.NEWROUTE, encodeRouteDump(4)],
    [RTM.NEWRULE, encodeRuleDump(6)],
    [2, words(true, 0xffffffff, 36, 0, 0, 0, 0)],
    [3, words(true, 0)],
  ];
  return [...bodies.map(([type, body]) => encodeMessage(type, 2, 1, body)), recordedNetlink()];
}

/** Links, addresses, rules, routes and neighbours of a machine, as its kernel sent them. */
function recordedNetlink(): Uint8Array {
  return Uint8Array.from(Buffer.from(readFileSync('test/fuzz/seeds/netlink.hex', 'utf8').trim(), 'hex'));
}
