/** Where in a YAML text a key path stands, for errors that name a line. */
import { type Document, isMap, isNode, isScalar, type LineCounter, type Node } from 'yaml';

export type KeyPath = readonly (string | number)[];

export class Positions {
  constructor(
    private readonly document: Document,
    private readonly lines: LineCounter,
  ) {}

  /** Offset of the value at `path`, or of the nearest thing around it that is written down. */
  offset(path: KeyPath): number {
    for (let depth = path.length; depth > 0; depth--) {
      const node = this.node(path.slice(0, depth));
      if (node?.range) return node.range[0];
    }
    return this.document.contents?.range?.[0] ?? 0;
  }

  /** Offset of the key itself, for a key that should not be there. */
  keyOffset(path: KeyPath): number {
    const map = path.length === 1 ? this.document.contents : this.node(path.slice(0, -1));
    if (!isMap(map)) return this.offset(path);
    const pair = map.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
    return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : this.offset(path);
  }

  /** Counted from 1. */
  lineAt(offset: number): number {
    return this.lines.linePos(offset).line;
  }

  node(path: KeyPath): Node | undefined {
    const found = this.document.getIn(path, true);
    return isNode(found) ? found : undefined;
  }
}

/** `routes[0].via`; a key that is no plain word is quoted. */
export function keyText(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const word = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === '' ? word : `${text}.${word}`;
  }, '');
}
