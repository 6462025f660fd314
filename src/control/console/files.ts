/** The files of the page, which `make build` puts into dist/console, and the login form. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A file as it is sent. */
export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Path in the URL, name in dist/console, type. */
const FILES: readonly (readonly [string, string, string])[] = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/console.js', 'console.js', 'text/javascript; charset=utf-8'],
  ['/console.css', 'console.css', 'text/css; charset=utf-8'],
  ['/login.css', 'login.css', 'text/css; charset=utf-8'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml'],
];

/** src/control/console and dist/control/console are both three levels below the root. */
export function pageFile(name: string): Buffer {
  return readFileSync(fileURLToPath(new URL(`../../../dist/console/${name}`, import.meta.url)));
}

/** All files by their path. Throws an Error of one line when the page is not built. */
export function pageFiles(): ReadonlyMap<string, PageFile> {
  try {
    return new Map(FILES.map(([path, name, type]) => [path, { type, bytes: pageFile(name) }]));
  } catch (error) {
    throw new Error(`console: the page is not built (make build): ${(error as Error).message}`);
  }
}

/** The login form. It needs no script. */
export function loginPage(tokenFiles: string, complaint: string): string {
  const hint = complaint === '' ? '' : `<p class="wrong" role="alert">${complaint}</p>`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>ulvs: log in</title><link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/login.css"></head>
<body><main><h1>ulvs console</h1>${hint}
<form method="post" action="/login"><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
<button>Log in</button></form>
<p>The token is in the file <code>${escaped(tokenFiles)}</code> on the machine of the director.</p></main></body></html>
`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
