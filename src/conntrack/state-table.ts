/** Parser for the state tables of TCP and SCTP, which are written in the layout of the kernel. */
/**
 * Reads rows of short state names; comments are ignored. Rows are ordered by direction, then event;
 * columns are the current states in the order of `names`. Index of the result: (direction * events
 * + event) * names.length + state. Throws an Error on a name that is not in `names`.
 */
export function stateTable(names: readonly string[], text: string): Uint8Array {
  const cells = text.replace(/\/\*.*?\*\//g, ' ').match(/\w+/g) ?? [];
  return Uint8Array.from(cells, (cell) => {
    const state = names.indexOf(cell);
    if (state < 0) throw new Error(`state table: ${cell} is not a state`);
    return state;
  });
}
