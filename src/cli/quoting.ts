/** A mistake that the shell makes easy, for the messages of several commands. */

/** A hint for a filter whose second word was taken for another argument. */
export function quoting(filter: unknown): string {
  return typeof filter === 'string' ? `; quote a filter of several words: --trace '${filter} …'` : '';
}
