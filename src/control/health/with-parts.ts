/** The status of many targets comes in parts (health/board.ts). */
import type { ServiceStatus, StatusPart } from '../../health/spec.js';

/** The status with newer parts of some services. */
export function withParts(services: readonly ServiceStatus[], parts: readonly StatusPart[]): readonly ServiceStatus[] {
  const newer = new Map(parts.map((part) => [part.name, part]));
  return services.map((service) => {
    const part = newer.get(service.name);
    if (part === undefined) return service;
    const { first, ...rest } = part;
    const targets = service.targets.slice();
    targets.splice(first, part.targets.length, ...part.targets);
    return { ...rest, targets };
  });
}
