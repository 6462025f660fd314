/** docs/schedulers.md, from src/schedulers and bench/results/schedulers.json. */
import { SCHEDULERS } from '../../src/schedulers/index.js';
import type { Scheduler } from '../../src/service/service.js';
import { SCHEDULERS as KERNEL_SCHEDULERS } from './kernel-map/schedulers.js';
import { figure, type Result, resultOf } from './results.js';
import { bullets, code, type Document, heading, paragraph, type Row, sentence, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

const SIZES = [10, 100, 1000] as const;

export function schedulersDocument(root: string): Document {
  const costs = resultOf(root, 'schedulers');
  const sources = ['src/schedulers/*.ts', 'bench/results/schedulers.json'];
  return markdown('docs/schedulers.md', 'Schedulers', sources, [
    paragraph(
      `The scheduler of a service chooses the destination of a new connection. The choices are those of the schedulers of the
      same name in Linux 6.1: recorded scenarios compare them. The default is \`wlc\`.`,
    ),
    code('sh', 'ulvsadm -A -t 10.0.0.100:80 -s wlc\nulvsadm -A -t 10.0.0.100:443 -s mh -b mh-fallback,mh-port'),
    bullets([
      'A destination of weight 0 gets no new connection.',
      'A destination over its upper threshold gets none either, but with `lblc` it keeps the addresses that it has.',
      'Of equal destinations, the schedulers that compare loads choose the one that was added last.',
      'With `workers` above 1, a scheduler that remembers does so for each worker: `rr` is even to within one connection a worker.',
    ]),
    table(['name', 'it is', 'it chooses', 'flags (`-b`)', 'remembers'], SCHEDULERS.map(rowText)),
    paragraph(
      '`flag-1`, `flag-2` and `flag-3` set the same bits for any scheduler. A scheduler without flags ignores them.',
    ),
    heading(2, 'What a decision costs'),
    paragraph(
      `Nanoseconds for a decision with as many destinations, with the connection that begins and the one that ends
      (${costs.machine}, Node.js ${costs.node}, commit ${costs.commit}). [Performance](performance.md) says how it is measured.`,
    ),
    table(
      ['name', ...SIZES.map((size) => `${size} destinations`)],
      SCHEDULERS.map((one) => costText(one, costs)),
    ),
  ]);
}

function rowText({ name, chooses, flags = [], remembers }: Scheduler): Row {
  const words = flags.map((flag) => `\`${flag}\``).join(', ');
  return [`\`${name}\``, longName(name), sentence(chooses), words, remembers ? 'yes, each worker for itself' : ''];
}

/** The name in words, from the kernel map. */
function longName(name: string): string {
  const known = KERNEL_SCHEDULERS.find(({ file }) => file.endsWith(`/ip_vs_${name}.c`));
  return known === undefined ? '' : known.about.replace(/\.$/, '').toLowerCase().replace('maglev', 'Maglev');
}

/** A scheduler that is newer than the results has no figures yet. */
function costText({ name }: Scheduler, { rows }: Result): Row {
  const values = SIZES.map((size) => rows.find((row) => row.case === `${name}, ${size}`)?.value);
  return [`\`${name}\``, ...values.map((value) => (value === undefined ? 'not measured' : figure(value)))];
}
