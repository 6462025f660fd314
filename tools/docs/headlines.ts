/**
 * The marked block of README.md: a few figures of bench/results with their references.
 *
 *     <!-- generated: headline figures -->     … a table …     <!-- /generated -->
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { figure, type Result, type ResultRow, ratioText, resultOf, rowOf } from './results.js';
import type { Document, Row } from './text/blocks.js';
import { tableText } from './text/markdown.js';

const BEGIN = '<!-- generated: headline figures -->';
const END = '<!-- /generated -->';
const README = 'README.md';

/**
 * README.md with a new block; an empty list when README.md has no block. Throws when the end of the
 * block is missing.
 */
export function readmeDocument(root: string): Document[] {
  const text = readFileSync(path.join(root, README), 'utf8');
  const from = text.indexOf(BEGIN);
  if (from < 0) return [];
  const to = text.indexOf(END, from);
  if (to < 0) throw new Error(`${README}: "${BEGIN}" needs "${END}" behind it`);
  return [{ path: README, text: `${text.slice(0, from)}${BEGIN}\n${headlines(root)}\n${text.slice(to)}` }];
}

interface Headline {
  readonly words: string;
  readonly question: string;
  readonly case: string;
  /** The name of the reference when the results do not have it. */
  readonly against?: string;
}

const DNAT = 'nft DNAT with conntrack';

const HEADLINES: readonly Headline[] = [
  { words: 'NAT in memory, 100,000 flows, IPv4', question: 'pipeline', case: 'natin v4, 100000 flows' },
  { words: 'NAT in memory, 100,000 flows, IPv6', question: 'pipeline', case: 'natin v6, 100000 flows' },
  { words: 'SYN flood in memory, a new connection each, IPv4', question: 'pipeline', case: 'SYN flood v4' },
  { words: 'NAT on a veth, `xdp`', question: 'wire', case: 'ulvs xdp nat', against: DNAT },
  { words: 'NAT on a veth, `packet`', question: 'wire', case: 'ulvs packet nat', against: DNAT },
  { words: 'NAT on a veth, `tap`', question: 'wire', case: 'ulvs tap nat', against: DNAT },
  { words: 'HTTP, keep-alive, NAT', question: 'http', case: 'apart, keep-alive: ulvs NAT, xdp' },
  { words: 'HTTP, keep-alive, DR', question: 'http', case: 'apart, keep-alive: ulvs DR, xdp' },
  { words: 'HTTP, pages of 100 kB, NAT, `xdp`', question: 'http', case: 'apart, 100 kB: ulvs NAT, xdp' },
  { words: 'memory of 10 million connections', question: 'table', case: 'memory, 10M connections' },
  {
    words: 'longest pause while the table grows to 10 million',
    question: 'table',
    case: 'longest 256 insertions, 10M connections',
  },
];

function headlines(root: string): string {
  const rows = HEADLINES.map((headline) => rowText(headline, resultOf(root, headline.question)));
  const { machine, node } = resultOf(root, 'pipeline');
  const origin = `Measured on ${machine} with Node.js ${node.replace('v', '')}.`;
  return `${tableText(['what', 'ulvs', 'reference', 'ratio'], rows)}\n\n${origin}`;
}

function rowText({ words, case: name, against }: Headline, result: Result): Row {
  const row = rowOf(result, name);
  return [words, withUnit(row.value, row), `${referenceText(row)} (${against ?? result.against})`, ratioText(row)];
}

function referenceText(row: ResultRow): string {
  return row.reference === null ? '' : withUnit(row.reference, row);
}

const UNITS: Readonly<Record<string, string>> = { Mpps: 'M packets/s', kpps: 'k packets/s' };

function withUnit(value: number, { unit }: ResultRow): string {
  return `${figure(value)} ${UNITS[unit] ?? unit}`;
}
