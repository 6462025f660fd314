/** Places of key paths in a YAML text, for errors with line numbers. */
import { type Document, isMap, isNode, isScalar, type LineCounter, type Node } from 'yaml';

/** Keys and indexes from the top: ['routes', 0, 'via']. */
export type KeyPath = readonly (string | number)[];

/** The places in one document. */
export class Positions {
  constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** Offset of the value at `path`, or of the nearest part around it that the text has. */
  offset(path: KeyPath): number {
    for (let depth = path.length; depth > 0; depth--) {
      const node = this.node(path.slice(0, depth));
      if (node?.range) return node.range[0];
    }
    return this.document.contents?.range?.[0] ?? 0;
  }

  /** Offset of the key at `path`. */
  keyOffset(path: KeyPath): number {
    const map = path.length === 1 ? this.document.contents : this.node(path.slice(0, -1));
    if (!isMap(map)) return this.offset(path);
    const pair = map.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
    return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : this.offset(path);
  }

  /** The line of an offset, from 1. */
  lineAt(offset: number): number {
    return this.lines.linePos(offset).line;
  }

  /** The node at `path`; undefined: the text has none. */
  node(path: KeyPath): Node | undefined {
    const found = this.document.getIn(path, true);
    return isNode(found) ? found : undefined;
  }
}

/** A key path as text: `routes[0].via`. A key that is not a plain word is quoted. */
export function keyText(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const word = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === '' ? word : `${text}.${word}`;
  }, '');
}
