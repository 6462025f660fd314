/** The documents of the repository, and what the tests of this folder read out of them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export interface Doc {
  /** Relative to the repository. */
  readonly file: string;
  readonly text: string;
}

/** Pages at the top, everything below docs, src and tools. */
export function documents(): Doc[] {
  const top = readdirSync(ROOT).filter((file) => file.endsWith('.md'));
  const below = ['docs', 'src', 'tools'].flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => `${folder}/${file}`),
  );
  return [...top, ...below].map((file) => ({ file, text: readFileSync(path.join(ROOT, file), 'utf8') }));
}

const FENCE = /^(`{3,})(.*)\n([\s\S]*?)^\1$/gm;

/** Blocks of code, with the word behind the opening fence. */
export function fences({ text }: Doc): { language: string; code: string }[] {
  return [...text.matchAll(FENCE)].map(([, , language, code]) => ({ language: language!.trim(), code: code! }));
}

/** `code` in running text. */
export function codeSpans({ text }: Doc): string[] {
  return [...text.replace(FENCE, '').matchAll(/(`+)([^`]+)\1/g)].map(([, , code]) => code!);
}

/** Targets of [text](target). */
export function links({ text }: Doc): string[] {
  const prose = text.replace(FENCE, '').replace(/(`+)[^`]+\1/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
}

/** Names of a page's headings as GitHub makes anchors of them. */
export function anchors({ text }: Doc): string[] {
  return [...text.replace(FENCE, '').matchAll(/^#+ +(.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .trim()
      .replace(/ /g, '-'),
  );
}
