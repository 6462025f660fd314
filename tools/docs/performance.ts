/** docs/performance.md. All figures come from bench/results. */
import { QUESTIONS } from '../../bench/support/questions.js';
import { askedBy, figure, isLessBetter, type Result, type ResultRow, ratioText, resultOf } from './results.js';
import { type Block, bullets, code, type Document, heading, paragraph, table } from './text/blocks.js';
import { markdown } from './text/markdown.js';

export function performanceDocument(root: string): Document {
  return markdown(
    'docs/performance.md',
    'Performance',
    ['bench/results/*.json', 'bench/questions/*.ts'],
    [
      paragraph(
        `Every figure is the result of a program in [bench](../bench), with a reference measured in the same run beside it. A figure
      says little without its reference: another machine changes both.`,
      ),
      paragraph(
        'The ratio is the figure divided by its reference. Of rates, more is better; of times, sizes and losses, less is better.',
      ),
      heading(2, 'How to repeat it'),
      code(
        'sh',
        [
          'make bench              # all questions; needs root, takes long',
          'make bench QUICK=1      # shows that everything works, not how fast it is',
          'make bench QUESTIONS="pipeline table"',
        ].join('\n'),
      ),
      paragraph(
        '`make bench` installs what it compares with (HAProxy, nginx, wrk, DPDK), writes `bench/results`, and says what it skipped and why. `make docs` then writes this document again.',
      ),
      ...QUESTIONS.flatMap(({ name }) => questionBlocks(root, name)),
    ],
  );
}

function questionBlocks(root: string, question: string): Block[] {
  const asked = askedBy(root, question);
  const result = resultOf(root, question);
  return [
    heading(2, asked.question),
    ...asked.paragraphs.map(({ text, drawn }) => (drawn ? code('', text) : paragraph(text))),
    bullets(circumstances(result)),
    ...groupsOf(result.rows).flatMap((rows) => groupBlocks(rows, result.against)),
    { kind: 'image', text: asked.question, target: `../bench/results/${question}.svg` },
  ];
}

function circumstances({ machine, node, kernel, commit, against, skipped }: Result): string[] {
  return [
    `machine: ${machine}`,
    `Node.js: ${node}`,
    `kernel: ${kernel === undefined ? 'not recorded' : `Linux ${kernel}`}`,
    `commit: ${commit}`,
    `reference: ${against === UNNAMED ? 'in the head of each table, or named in the row' : against}`,
    ...(skipped ?? []).map(({ name, reason }) => `skipped: ${name}: ${reason}`),
  ];
}

/** Groups the rows by unit and by the part of the question (`apart, keep-alive`). */
function groupsOf(rows: readonly ResultRow[]): ResultRow[][] {
  const groups = new Map<string, ResultRow[]>();
  for (const row of rows) {
    const key = `${partOf(row)} ${row.unit}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

function partOf(row: ResultRow): string {
  return /^(.*?\S): /.exec(row.case)?.[1] ?? '';
}

function groupBlocks(rows: readonly ResultRow[], against: string): Block[] {
  const [first] = rows;
  const part = partOf(first!);
  const { unit } = first!;
  const title = `${part === '' ? '' : `${part}, `}${unit} (${isLessBetter(unit) ? 'less' : 'more'} is better)`;
  const hasCpu = rows.some(({ cpu }) => cpu !== undefined);
  const cells = rows.map((row) => [
    nameOf(row),
    figure(row.value),
    row.reference === null ? '' : figure(row.reference),
    ratioText(row),
    ...(hasCpu ? cpuCells(row) : []),
  ]);
  const cpu = hasCpu ? ['CPU per packet', 'ratio'] : [];
  return [table([title, 'measured', referenceOf(rows, against), 'ratio', ...cpu], cells)];
}

function cpuCells({ cpu }: ResultRow): string[] {
  return cpu === undefined ? ['', ''] : [`${figure(cpu.value)} ns`, ratioText(cpu)];
}

function nameOf(row: ResultRow): string {
  const part = partOf(row);
  return row.case.slice(part === '' ? 0 : part.length + 2);
}

/**
 * The head of the reference column. When the results do not name the reference, its name is the
 * case of the row whose reference is its own value and which is not ulvs.
 */
function referenceOf(rows: readonly ResultRow[], against: string): string {
  const own = rows.find((row) => row.value === row.reference && !nameOf(row).startsWith('ulvs'));
  return against === UNNAMED && own !== undefined ? `reference: ${nameOf(own)}` : 'reference';
}

const UNNAMED = 'reference';
