/**
 * A trace record as text:
 *
 *     20:01:02.123456  in eth0   10.0.0.1.40001 > 10.0.0.100.80: tcp [S] …
 *       service      TCP 10.0.0.100:80, scheduler rr
 *       scheduler    192.168.1.12:8081: the next eligible after the one chosen last
 *       rewrite      IP destination: 10.0.0.100 -> 192.168.1.12
 *       out eth1     …
 *       forwarded
 */
import type { Candidate, TraceOut, TraceRecord, TraceStep } from '../dataplane/trace/trace.js';
import { schedulerNamed } from '../schedulers/index.js';
import { DROP_NAMES, DROP_TEXTS } from '../stats/drops.js';
import { printFrame } from '../wire/print.js';
import { differences, fieldsOf } from './fields.js';

const LABEL = 13;

export function formatRecord(record: TraceRecord): string {
  const frame = Buffer.from(record.hex, 'hex');
  return [
    `${timeOf(record.at)}  in ${record.device}  ${printFrame(frame)}`,
    ...record.steps.flatMap(formatStep).map(([label, text]) => row(label, text)),
    ...record.out.flatMap((out) => formatOut(frame, out)),
    `  ${formatVerdict(record)}`,
  ].join('\n');
}

/** Times from here on are of the wall clock; before, of a virtual one that begins at 0. */
const WALL_CLOCK = Date.UTC(2000, 0);

/** `at` in ms: the local time as tcpdump prints it, 20:01:02.123456; of a virtual clock ms. */
export function timeOf(at: number): string {
  if (at < WALL_CLOCK) return `${at.toFixed(3)} ms`;
  const time = new Date(at);
  const two = (value: number) => String(value).padStart(2, '0');
  const us = Math.floor((at % 1000) * 1000);
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(us).padStart(6, '0')}`;
}

/** The verdict; for a dropped frame with the reason. */
export function formatVerdict({ verdict, dropped }: TraceRecord): string {
  if (!dropped) return verdict;
  return `dropped: ${verdict}: ${DROP_TEXTS[(DROP_NAMES as readonly string[]).indexOf(verdict)] ?? ''}`;
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL)}${text}`;
}

/** The lines of a step: a label, '' for a further line of the same step, and its text. */
export function formatStep(step: TraceStep): [label: string, text: string][] {
  switch (step.step) {
    case 'mark':
      return [['mark', String(step.mark)]];
    case 'connection':
      return [
        ['connection', `${step.caddr} -> ${step.vaddr} -> ${step.daddr} ${step.state} (by the ${step.side}'s side)`],
      ];
    case 'noConnection':
      return [['connection', 'none']];
    case 'service':
      return [['service', `${step.service}, scheduler ${step.scheduler}`]];
    case 'chosen':
      return [
        ['scheduler', `${step.dest}: ${schedulerNamed(step.scheduler)?.chooses ?? step.scheduler}`],
        ...step.candidates.map((one): [string, string] => [
          '',
          `${one.dest === step.dest ? '*' : ' '} ${candidate(one)}`,
        ]),
      ];
    case 'none':
      return [
        ['scheduler', 'no destination can take it'],
        ...step.candidates.map((one): [string, string] => ['', `  ${candidate(one)}`]),
      ];
    case 'state':
      return [['state', `${step.from === step.to ? step.to : `${step.from} -> ${step.to}`}, ${step.seconds} s`]];
    case 'neighbour':
      return [['next hop', `${step.ip} is at ${step.mac} on ${step.device}`]];
    case 'waits':
      return [['next hop', `${step.ip} on ${step.device} is not resolved yet: it is asked for, the frame waits`]];
    case 'waited':
      return [['waited', `${step.ms.toFixed(3)} ms for its next hop; this is the second record of the frame`]];
    case 'note':
      return [['', step.text]];
  }
}

function candidate({ dest, weight, active, inactive, overloaded }: Candidate): string {
  const why = weight === 0 ? ', quiesced' : overloaded ? ', overloaded' : '';
  return `${dest}  weight ${weight}, active ${active}, inactive ${inactive}${why}`;
}

function formatOut(before: Uint8Array, { device, hex, originated }: TraceOut): string[] {
  const after = Buffer.from(hex, 'hex');
  const changes = originated ? [] : differences(fieldsOf(before), fieldsOf(after));
  return [
    ...changes.map((text, i) => row(i === 0 ? 'rewrite' : '', text)),
    row(`out ${device}`, `${printFrame(after)}${originated ? '  (made by the director)' : ''}`),
  ];
}
