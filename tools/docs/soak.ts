/** docs/soak.md, from bench/results/soak.json: `make soak` writes that. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Sample } from '../../src/lab/soak/sample.js';
import type { Verdict } from '../../src/lab/soak/verdict.js';
import { bullets, code, type Document, heading, paragraph, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

interface Kept {
  readonly machine: string;
  readonly kernel: string;
  readonly node: string;
  readonly commit: string;
  readonly verdict: Verdict;
  readonly first: Sample;
  readonly last: Sample;
  readonly highest: Record<'rss' | 'frames' | 'connections' | 'echo99' | 'opening99', number>;
}

export function soakDocument(root: string): Document {
  const kept = JSON.parse(readFileSync(path.join(root, 'bench/results/soak.json'), 'utf8')) as Kept;
  return markdown(
    'docs/soak.md',
    'Soak: one director for hours',
    ['bench/results/soak.json'],
    [
      paragraph(
        `A director with two services by TCP and two by UDP forwards for hours, while its operator works. Each 5 s one of four
        things is done: 20 services are exchanged by a reload, rules and connections are listed, a trace of all packets runs for 2 s,
        nothing. The load is about half of what the shared processors of the machine can do; other work went on beside it.`,
      ),
      code('sh', 'make soak HOURS=2     # needs root; writes bench/results/soak.json, .svg and this page'),
      bullets([
        `machine: ${kept.machine}`,
        `kernel: Linux ${kept.kernel}`,
        `Node.js: ${kept.node}`,
        `commit: ${kept.commit}`,
      ]),
      heading(2, 'Result'),
      table(['over the whole time', 'figure'], rows(kept)),
      paragraph(
        kept.verdict.faults.length === 0
          ? 'Nothing grew, nothing was lost, and every frame came back.'
          : `Not as it must be: ${kept.verdict.faults.join('; ')}.`,
      ),
      paragraph(
        `Growth, without the first quarter of the time: of heap and external memory it is the slope of the line through the lowest sample
        of each sixteenth, of resident memory the median of the slopes between the medians of the sixteenths. More than 8 MiB an hour is
        a fault. A worker's heap is first collected when its old generation has 128 MB: until then the objects of removed services grow
        there. In use are frames in the rings of AF_XDP sockets, which are there all the time, and frames that wait.`,
      ),
      {
        kind: 'image',
        text: 'memory, descriptors, frames, connections and latency over time',
        target: '../bench/results/soak.svg',
      },
    ],
  );
}

function rows({ verdict, first, last, highest }: Kept): string[][] {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    ['time', `${verdict.hours.toFixed(2)} h`],
    ['new connections: opened, failed', `${verdict.opened}, ${verdict.refused}`],
    ['open downloads: lost, wrong bytes', `${last.lost}, ${last.wrong}`],
    ['datagrams: sent, without an echo', `${verdict.sent}, ${verdict.unechoed}`],
    ['resident memory: first sample, highest, last', [first.rss, highest.rss, last.rss].map(mb).join(', ')],
    ['growth an hour: resident, heap, external', growths(verdict).map(mb).join(', ')],
    ['descriptors: first, last', `${first.descriptors}, ${last.descriptors}`],
    ['frames: highest number in use, missing at the end', `${highest.frames}, ${last.frames.missing}`],
    ['connection table: most lines in use', `${highest.connections}`],
    ['99th percentile of an echo, median of all samples', ms(highest.echo99)],
    ['99th percentile of a new connection, median of all samples', ms(highest.opening99)],
    ['frames that devices had no room for', `${last.rxDropped}`],
  ];
}

function growths({ rssGrowth, heapGrowth, externalGrowth }: Verdict): number[] {
  return [rssGrowth, heapGrowth, externalGrowth];
}
