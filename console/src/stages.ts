/**
 * The way of one packet as stages, one after the other:
 *
 *     hosts before the director ─► arrival ─► each step of the trace ─► each frame out ─► hosts behind ─► verdict
 */
import type { Drawing } from './drawing.js';
import type { Followed, OutView, StepView } from './types.js';

export interface Stage {
  /** Where the packet is. */
  readonly place: string;
  readonly label: string;
  readonly text: string;
  readonly step?: StepView;
  /** The frame as it is from here on; without it, the frame as it came. */
  readonly out?: OutView;
}

export function stagesOf(packet: Followed, route: Route, drawing: Drawing): Stage[] {
  const titleOf = (id: string) => drawing.places.find((place) => place.id === id)?.title ?? id;
  const passed = (ids: readonly string[], out?: OutView): Stage[] =>
    ids.map((place) => ({ place, label: 'on its way', text: titleOf(place), ...(out && { out }) }));
  const sent = packet.out.find(({ originated }) => !originated);
  const steps = packet.steps.map((step): Stage => ({ place: route.inside, label: step.label, text: step.text, step }));
  const frames = packet.out.map(
    (out): Stage => ({
      place: route.inside,
      label: `out ${out.device}`,
      text: out.originated ? `${out.frame}  (made by the director)` : out.frame,
      out,
    }),
  );
  const last = route.behind.at(-1) ?? route.inside;
  return [
    ...passed(route.before),
    { place: route.inside, label: `in ${packet.device}`, text: packet.frame },
    ...steps,
    ...frames,
    ...passed(route.behind, sent),
    { place: last, label: 'verdict', text: packet.verdict, ...(sent && { out: sent }) },
  ];
}

/** The places that a packet passes: before the director, in it, and behind it. */
export interface Route {
  readonly before: readonly string[];
  readonly inside: string;
  readonly behind: readonly string[];
}

/** Finds the ids of the boxes of a packet's service and destination. */
export function routeOf(
  drawing: Drawing,
  packet: { service: string; destination: string; side: string; sent: boolean },
): Route {
  const known = (id: string) => drawing.places.some((one) => one.id === id);
  const service = [
    `service ${packet.service}`,
    ...['TCP', 'UDP', 'SCTP'].map((name) => `service ${name} ${packet.service}`),
  ].find(known);
  const address = packet.destination.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  const server = `server ${address}`;
  const router = drawing.wires
    .find(({ id }) => id.startsWith('gateway ') && id.endsWith(`>${server}`))
    ?.id.split('>')[0];
  const way = [...(router === undefined ? [] : [router]), server].filter(known);
  const inside = service ?? 'director';
  if (packet.side === 'destination') return { before: way.reverse(), inside, behind: packet.sent ? ['client'] : [] };
  return { before: ['client'], inside, behind: packet.sent && packet.side === 'client' ? way : [] };
}
