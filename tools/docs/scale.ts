/** docs/scale.md: what faster links would need, from bench/results/scale.json and workers.json. */
import { figure, type Result, resultOf, rowOf } from './results.js';
import { bullets, code, type Document, heading, paragraph, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

const METHODS = { nat: 'NAT', dr: 'DR', tun: 'Tun (ipip)' } as const;
const STAGES = ['timers', 'receive', 'process', 'send'] as const;
const GIGABITS = [10, 25, 100] as const;
/**
 * Frames with their check sequence, bytes; 362 is the mean of the simple IMIX: seven of 64, four of
 * 594, one of 1518.
 */
const LENGTHS = [64, 362, 1518] as const;
/** Preamble and the gap between two frames, bytes. */
const BETWEEN = 20;
/** The largest value of the key `workers`. */
const MOST_WORKERS = 64;

type Method = keyof typeof METHODS;

/** Million frames a second of a full link. */
function framesOf(gigabits: number, length: number): number {
  return (gigabits * 1000) / (8 * (length + BETWEEN));
}

export function scaleDocument(root: string): Document {
  const scale = resultOf(root, 'scale');
  const alone = rowOf(resultOf(root, 'workers'), 'two processors').ratio! / 2;
  const handed = rowOf(resultOf(root, 'workers'), 'all handed off').ratio!;
  return markdown(
    'docs/scale.md',
    'Scale: what a faster link would need',
    ['bench/results/scale.json', 'bench/results/workers.json', 'bench/questions/scale.ts'],
    [
      paragraph(
        `The machine on which ulvs is measured has two processors and no fast NIC. This page computes what faster links would need.
        It begins with the cost of a packet by stage. It shows how well the model predicts the rate that was measured. Then it
        applies the model to links of 10, 25 and 100 Gbit/s. From "What a NIC changes" on, nothing was measured.`,
      ),
      code(
        'sh',
        'make bench QUESTIONS="scale workers"; make docs     # needs root; writes the figures, then this page',
      ),
      bullets([
        `machine: ${scale.machine}`,
        `kernel: Linux ${scale.kernel ?? 'not recorded'}`,
        `Node.js: ${scale.node}`,
        `commit: ${scale.commit}`,
      ]),
      heading(2, 'Cost of a packet by stage, and the error of the model'),
      paragraph(
        `A flood of 65,536 known flows passes a director with devices of kind xdp between two veths. The director measures the stages
        of one turn in 64 itself. Model: a worker forwards one packet in the sum of its stages. The error compares that with the
        frames that the sink counted in the same run.`,
      ),
      table(
        ['', ...STAGES.map((stage) => `${stage}, ns`), 'model, kpps', 'measured, kpps', 'error'],
        (Object.keys(METHODS) as Method[]).map((method) => costs(scale, method)),
      ),
      bullets([
        '`timers`: ends of connections, once a turn for all its packets.',
        '`receive`: descriptors of the receive ring and of the fill ring.',
        '`process`: parse, look-up, state, rewriting. All memory accesses to the connection table are here.',
        '`send`: on a veth mostly a system call. In it the kernel copies each frame into an skb and carries it to the other side.',
      ]),
      heading(2, 'What a NIC changes'),
      paragraph(
        `A NIC whose driver has the zero-copy mode of AF_XDP takes descriptors from a ring and sends by DMA. The worker then writes a
        descriptor for each packet, which costs about what the stage receive costs. So the model of a NIC has the stage receive twice
        and no stage send. The driver runs in the kernel, on another processor or on the same one. The model leaves it out.`,
      ),
      table(
        ['', 'ns a packet', 'one worker, million packets a second'],
        (Object.keys(METHODS) as Method[]).map((method) => {
          const rate = nicRate(scale, method);
          return [METHODS[method], figure(1000 / rate), figure(rate)];
        }),
      ),
      heading(2, 'Workers for a full link'),
      paragraph(
        `One direction of a link, full of NAT requests. Two workers on processors of their own did ${figure(2 * alone)} × of one: each
        counts for ${figure(alone)}. RSS of the NIC does not know which worker owns a client ([workers](workers.md)), so that with
        several workers nearly each packet is handed off: the stage process then takes ${figure(1 / handed)} × as long, on both
        workers together. Processors of the driver come on top.`,
      ),
      table(
        ['frame, bytes', ...GIGABITS.map((gigabits) => `${gigabits} Gbit/s: Mpps, workers`)],
        LENGTHS.map((length) => [
          `${length}${length === 362 ? ' (IMIX)' : ''}`,
          ...GIGABITS.map((gigabits) => need(framesOf(gigabits, length), scale, alone, handed)),
        ]),
      ),
      heading(2, 'Where it stops'),
      bullets([
        `**Queues.** Each worker has a receive queue of its own. \`workers\` is at most ${MOST_WORKERS}, and RSS of many NICs spreads over 16 to 64 queues.`,
        '**Hand-off.** It is the largest cost of many workers. It would go away if an XDP program or the NIC chose the queue by the hash of the client that the director uses.',
        '**Memory.** One connection is a line of 64 bytes; an IPv6 connection has two. The stage process above is with 65,536 flows, 4 MB. With a million flows most look-ups are cache misses: [performance](performance.md) has those figures (question pipeline).',
        '**Frames.** A frame crosses the memory bus twice, in and out. 100 Gbit/s of 1,518 bytes are 12 GB/s in each direction, which a server with several memory channels has.',
        '**What workers share.** A packet of a known connection writes nothing that another worker writes. New connections change the gauges of their destination by an atomic operation.',
        '**The kernel.** A driver without zero-copy mode copies each frame, as a veth does: then the first table holds, not the second.',
        '**Offload.** With `offload: auto` the XDP program forwards packets of established connections, and workers see the rest: [offload](offload.md).',
      ]),
    ],
  );
}

function costs(scale: Result, method: Method): string[] {
  const model = rowOf(scale, `${method}: model of one worker`);
  const measured = model.reference ?? Number.NaN;
  const error = 100 * (model.value / measured - 1);
  return [
    METHODS[method],
    ...STAGES.map((stage) => figure(rowOf(scale, `${method}: ${stage}`).value)),
    figure(model.value),
    figure(measured),
    `${error >= 0 ? '+' : '−'}${Math.abs(error).toFixed(1)} %`,
  ];
}

/** Million packets a second. */
function nicRate(scale: Result, method: Method): number {
  return rowOf(scale, `${method}: model of one worker, zero-copy NIC`).value / 1000;
}

/** A rate in million packets a second, and how many workers it needs. */
function need(mpps: number, scale: Result, alone: number, handed: number): string {
  const one = nicRate(scale, 'nat');
  if (mpps <= one) return `${figure(mpps)}, 1`;
  const process = rowOf(scale, 'nat: process').value;
  const each = (1000 * alone) / (1000 / one - process + process / handed);
  return `${figure(mpps)}, ${Math.ceil(mpps / each)}`;
}
