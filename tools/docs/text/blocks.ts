/**
 * A document as data. The generators of this folder make blocks; markdown.ts and man.ts write them
 * as text. A text may contain `code`, **bold** and [links](target).
 */

/** Cells of a table row. The first cell names the row. */
export type Row = readonly string[];

export type Block =
  | { readonly kind: 'heading'; readonly level: 2 | 3 | 4; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'bullets'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly head: Row; readonly rows: readonly Row[]; readonly title: string }
  | { readonly kind: 'code'; readonly language: string; readonly text: string }
  | { readonly kind: 'image'; readonly text: string; readonly target: string };

/** A file that `make docs` writes. */
export interface Document {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
}

export function heading(level: 2 | 3 | 4, text: string): Block {
  return { kind: 'heading', level, text };
}

export function paragraph(text: string): Block {
  return { kind: 'paragraph', text };
}

export function bullets(items: readonly string[]): Block {
  return { kind: 'bullets', items };
}

/** `title`: a line above the rows in manual pages, which show no heads of columns; '' for none. */
export function table(head: Row, rows: readonly Row[], title = ''): Block {
  return { kind: 'table', head, rows, title };
}

/** `language`: of the text, for highlighting; '' for none. */
export function code(language: string, text: string): Block {
  return { kind: 'code', language, text };
}

/** Names that keep their lower-case letter at the start of a sentence. */
const SMALL = ['testlvs', 'fwmark', 'ipip', 'syncid', 'snat', 'iptables', 'libpcap', 'tcpdump'];

/** Makes a sentence of a phrase: a capital letter at the start, a full stop at the end. */
export function sentence(text: string): string {
  const first = /^[a-z]+(?=[\s:;,]|$)/.exec(text)?.[0];
  const whole = first === undefined || SMALL.includes(first) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return text === '' || /[.!?:]$/.test(whole) ? whole : `${whole}.`;
}
