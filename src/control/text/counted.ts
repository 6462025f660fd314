/** Numbers with their nouns. */

/** `1 service`, `2 services`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
