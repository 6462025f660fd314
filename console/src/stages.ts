/**
 * The way of one packet as stages, one after the other:
 *
 *     hosts before the director ─► arrival ─► each step of the trace ─► each frame out ─► hosts behind ─► verdict
 */
import type { Drawing, Route } from './drawing.js';
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
