/** docs/drops.md: every reason for which a frame can be dropped, from src/stats/drops.ts. */
import { DROP_NAMES, DROP_REMEDIES, DROP_TEXTS } from '../../src/stats/drops.js';
import { code, type Document, heading, paragraph, sentence, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

export function dropsDocument(): Document {
  // Number 0 is "not dropped".
  const rows = DROP_NAMES.map((name, i) => [`\`${name}\``, sentence(DROP_TEXTS[i]!), DROP_REMEDIES[i]!]).slice(1);
  return markdown(
    'docs/drops.md',
    'Drop reasons',
    ['src/stats/drops.ts'],
    [
      paragraph(
        `Every frame that comes in ends as forwarded, delivered, passed or dropped, or waits for a neighbour or for its other
      fragments. A dropped frame is counted with one of ${rows.length} reasons. The sums are exact.`,
      ),
      code(
        'sh',
        [
          'ulvs stats                    # how many frames were dropped for which reason',
          'ulvs stats --json             # the same for a program: .drops[] has name, text, packets and bytes',
          'ulvs trace --drops            # each dropped frame as it comes, with its reason',
          'ulvs trace --drops host 10.0.0.1 --pcap drops.pcapng',
        ].join('\n'),
      ),
      paragraph(
        `Frames that a device lost before the director saw them, or after it had sent them, are not in this list:
      \`rxDropped\`, \`txDropped\` and \`rxOversize\` of \`ulvs stats\` count them for each device.`,
      ),
      heading(2, 'Reasons'),
      table(['reason', 'what happened', 'what to do'], rows),
    ],
  );
}
