/** Canonical text of addresses. */
import { format6, parse4, parse6 } from '../../wire/address.js';

/**
 * The canonical text of an address, by which keys are compared; undefined: `text` is not an
 * address.
 */
export function canonicalAddress(text: string): string | undefined {
  // A dotted quad has one text.
  if (parse4(text) !== undefined) return text;
  const v6 = parse6(text);
  return v6 && format6(v6);
}
