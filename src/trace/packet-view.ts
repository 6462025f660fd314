/**
 * A trace's record as the console shows it: each step in words, the frames before and after, and
 * which fields changed. Plain JSON.
 *
 *     TraceRecord ─► PacketView: arrival ─ steps ─ frames that left ─ verdict
 */
import type { Candidate, TraceRecord, TraceStep } from '../dataplane/trace/trace.js';
import { printFrame } from '../wire/print.js';
import { differences, fieldsOf } from './fields.js';
import { formatStep, formatVerdict, timeOf } from './format.js';

/** One decision of the director. */
export interface StepView {
  /** The kind of the step, as in a TraceStep. */
  readonly kind: TraceStep['step'];
  readonly label: string;
  readonly text: string;
  /** What the scheduler chose from, and what it chose; '' for none. */
  readonly candidates?: readonly Candidate[];
  readonly chosen?: string;
}

/** A frame that the director sent because of the packet. */
export interface OutView {
  readonly device: string;
  readonly hex: string;
  /** One line in the style of tcpdump. */
  readonly frame: string;
  /** The director made this packet: it is not the received one. */
  readonly originated: boolean;
  /** One line for each field that differs from the received frame. */
  readonly changes: readonly string[];
}

export interface PacketView {
  /** ms, as in a TraceRecord; `time` is the same as text. */
  readonly at: number;
  readonly time: string;
  readonly device: string;
  readonly hex: string;
  readonly frame: string;
  readonly source: string;
  readonly target: string;
  readonly steps: readonly StepView[];
  readonly out: readonly OutView[];
  /** The destination that the packet is for or from, `address:port`; '' when there is none. */
  readonly destination: string;
  /** The service in the words of the trace; '' when the packet matched no service. */
  readonly service: string;
  /** The side of its connection that sent the packet; '' when it has no connection. */
  readonly side: 'client' | 'destination' | '';
  readonly verdict: string;
  readonly dropped: boolean;
}

export function packetView(record: TraceRecord): PacketView {
  const bytes = Buffer.from(record.hex, 'hex');
  const fields = fieldsOf(bytes);
  return {
    at: record.at,
    time: timeOf(record.at),
    device: record.device,
    hex: record.hex,
    frame: printFrame(bytes),
    source: fields.get('IP source') ?? '',
    target: fields.get('IP destination') ?? '',
    steps: record.steps.map(stepView),
    out: record.out.map((out) => outView(bytes, out)),
    ...placesOf(record.steps),
    verdict: formatVerdict(record),
    dropped: record.dropped,
  };
}

function stepView(step: TraceStep): StepView {
  const [[label, text] = ['', '']] = formatStep(step);
  const view = { kind: step.step, label, text };
  if (step.step === 'chosen') return { ...view, candidates: step.candidates, chosen: step.dest };
  return step.step === 'none' ? { ...view, candidates: step.candidates, chosen: '' } : view;
}

function outView(before: Uint8Array, { device, hex, originated }: TraceRecord['out'][number]): OutView {
  const after = Buffer.from(hex, 'hex');
  const changes = originated ? [] : differences(fieldsOf(before), fieldsOf(after));
  return { device, hex, frame: printFrame(after), originated, changes };
}

/** Where the packet belongs in the drawing. */
function placesOf(steps: readonly TraceStep[]): Pick<PacketView, 'destination' | 'service' | 'side'> {
  let places: Pick<PacketView, 'destination' | 'service' | 'side'> = { destination: '', service: '', side: '' };
  for (const step of steps) {
    if (step.step === 'connection')
      places = { ...places, destination: step.daddr, service: step.vaddr, side: step.side };
    else if (step.step === 'service') places = { ...places, service: step.service, side: 'client' };
    else if (step.step === 'chosen') places = { ...places, destination: step.dest, side: 'client' };
  }
  return places;
}
