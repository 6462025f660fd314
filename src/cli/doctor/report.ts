/** The text of `ulvs doctor`: what was probed, then the findings. */
import { coloured, type Output, tick } from '../../control/text/colour.js';
import { counted } from '../../control/text/counted.js';
import type { Facts, Finding } from '../../doctor/facts.js';
import type { Row } from '../../doctor/probe/plan.js';
import type { Probed } from '../../doctor/probe/probe.js';

/** `out`: the stream that it is written to; undefined: stdout. */
export function reportText(
  facts: Facts,
  probed: Omit<Probed, 'findings'>,
  findings: readonly Finding[],
  out?: Output,
): string {
  const result =
    findings.length > 0 ? findings.map((one) => paragraph(one, out)).join('\n\n') : healthy(facts, probed, out);
  return [...probeLines(probed), result].join('\n');
}

function probeLines({ rows, notes, reason }: Omit<Probed, 'findings'>): string[] {
  if (reason) return [`nothing was sent: ${reason}`, ''];
  if (rows.length === 0) return [];
  const line = ({ service, destination, method, verdict, detail }: Row) =>
    `  ${service.padEnd(24)} ${destination.padEnd(22)} ${method.padEnd(11)} ${verdict.padEnd(20)} ${detail}`.trimEnd();
  return [
    'probed: each realserver by a SYN from this machine, not from a client; an RST ended it (--no-probe sends nothing)',
    ...rows.map(line),
    ...notes.map((note) => `  ${note}`),
    '',
  ];
}

function healthy({ hosts, director }: Facts, { notes }: Omit<Probed, 'findings'>, out?: Output): string {
  const count = hosts.filter(({ role }) => role !== 'switch').length;
  const result =
    notes.length > 0
      ? coloured('yellow', 'healthy, except for what was not probed', out)
      : coloured('green', 'healthy', out);
  return `${result}: ${counted(director.services.length, 'service')}, ${counted(count, 'host')} inspected`;
}

function paragraph({ id, wrong, seen, consequence, fix }: Finding, out?: Output): string {
  return [
    `${tick(false, out)} ${wrong} (${id})`,
    `  seen:   ${seen}`,
    `  effect: ${consequence}`,
    ...fix.map((one) => `  fix:    ${one}`),
  ].join('\n');
}
