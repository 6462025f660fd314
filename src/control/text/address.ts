/** Canonical text of addresses. */
import { format4, format6, parse4, parse6 } from '../../wire/address.js';

/**
 * The canonical text of an address, by which keys are compared; undefined: `text` is not an
 * address.
 */
export function canonicalAddress(text: string): string | undefined {
  const v4 = parse4(text);
  if (v4 !== undefined) return format4(v4);
  const v6 = parse6(text);
  return v6 && format6(v6);
}
