/**
 * A replay for the page: its packets, and what the director had. `ulvs replay --view` writes it
 * into one HTML file with script and style in it, which opens without a server.
 */
import { createHash } from 'node:crypto';
import type { ServiceEntry } from '../api/api.js';
import { pageFile } from './files.js';
import type { Followed } from './follow.js';

export interface Recording {
  /** What was replayed. */
  readonly title: string;
  readonly services: readonly ServiceEntry[];
  readonly devices: readonly { readonly name: string; readonly addresses: readonly string[] }[];
  readonly packets: readonly Followed[];
  /** Packets that are not in the file, because there are too many. */
  readonly left: number;
}

/** The HTML file. A hostile packet cannot end the data: `<` is escaped in it. */
export function recordingPage(recording: Recording): string {
  const [script, style] = [pageFile('console.js').toString('utf8'), pageFile('console.css').toString('utf8')];
  if (/<\/(script|style)/i.test(script + style)) throw new Error('dist/console has an end tag in its script');
  const data = JSON.stringify(recording).replaceAll('<', '\\u003c');
  const policy =
    `default-src 'none'; script-src ${hashOf(script)}; style-src ${hashOf(style)}; img-src data:; ` +
    "base-uri 'none'; form-action 'none'";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="content-security-policy" content="${policy}">
<title>ulvs replay</title><style>${style}</style></head>
<body><div id="app"></div><script type="application/json" id="recording">${data}</script>
<script type="module">${script}</script></body></html>
`;
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
