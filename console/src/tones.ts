/** The condition of a lab's hosts, from the director's rules: a realserver has the tone of its destinations. */
import { type Tone, toneOf } from './drawing.js';
import type { LabDrawing, Snapshot } from './types.js';

export function tonesOf({ services }: Pick<Snapshot, 'services'>, { hosts }: LabDrawing): Map<string, Tone> {
  const byAddress = new Map(
    services.flatMap(({ destinations }) => destinations.map((dest) => [dest.address, toneOf(dest)] as const)),
  );
  return new Map(
    hosts.flatMap(({ name, ports }) => {
      const tone = ports
        .flatMap(({ addresses }) => addresses)
        .flatMap((one) => byAddress.get(one.split('/')[0]!) ?? [])[0];
      return tone === undefined ? [] : [[name, tone] as const];
    }),
  );
}
