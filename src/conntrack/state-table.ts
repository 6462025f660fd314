/**
 * A state table as literal text: rows of short state names, `/* … *\/` comments ignored, rows in the order
 * direction-major, then event; columns are the current states in the order of `names`. The result is indexed
 * (direction * events + event) * names.length + state. Throws at start-up on a name that is not in `names`.
 */
export function stateTable(names: readonly string[], text: string): Uint8Array {
  const cells = text.replace(/\/\*.*?\*\//g, ' ').match(/\w+/g) ?? [];
  return Uint8Array.from(cells, (cell) => {
    const state = names.indexOf(cell);
    if (state < 0) throw new Error(`state table: ${cell} is no state`);
    return state;
  });
}
