/** Every relative link of a document, its anchor, and every path that a document names as code exist. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchors, codeSpans, type Doc, documents, fences, links, ROOT } from './markdown.js';

const docs = documents();

/** What is wrong with a link, or ''. */
function complaint(doc: Doc, target: string): string {
  if (/^[a-z]+:/.test(target)) return '';
  const [file = '', anchor] = target.split('#');
  const to = file === '' ? doc.file : path.normalize(path.join(path.dirname(doc.file), file));
  if (!existsSync(path.join(ROOT, to))) return `${doc.file}: ${target}: no such file`;
  const page = docs.find((one) => one.file === to);
  if (anchor === undefined || page === undefined || anchors(page).includes(anchor)) return '';
  return `${doc.file}: ${target}: ${to} has no heading of that name`;
}

const PATH = /^(?:\.\.?\/)*[\w.-]+(?:\/[\w.-]+)+\/?$/;
const TOPS = ['src', 'test', 'docs', 'bench', 'scripts', 'examples', 'tools', 'man', '.ci', '.github'];
const ENDINGS = /\.(ts|mjs|md|yaml|json|sh|py)$/;
/** A part in capitals stands for a name that the reader chooses; dist and build are made. */
const FREE = /(^|\/)[A-Z_]{3,}(\/|\.|$)|^dist\/|^build\/|^node_modules\//;

/** Whether a word looks like a path of the repository. */
function isPath(word: string): boolean {
  if (!PATH.test(word) || FREE.test(word)) return false;
  return TOPS.includes(word.split('/')[0]!) || (ENDINGS.test(word) && !word.startsWith('.'));
}

/** From the top, from src or bench (the documents leave these words away), or from where the document is. */
function exists(doc: Doc, word: string): boolean {
  const places = ['', 'src', 'bench', path.dirname(doc.file)];
  return places.some((place) => existsSync(path.join(ROOT, place, word)));
}

function pathsIn(doc: Doc): string[] {
  const code = [...codeSpans(doc), ...fences(doc).map((fence) => fence.code)];
  const words = code.flatMap((text) => text.split(/[\s,;:()'"`=<>│├└─]+/));
  return [...new Set(words.map((word) => word.replace(/[.]+$/, '')).filter(isPath))];
}

describe('documents', () => {
  it('have a heading and a text', () => {
    expect(docs.filter(({ text }) => !/^#+ .+\n+\S/m.test(text)).map(({ file }) => file)).toEqual([]);
  });

  it('link to what is there', () => {
    expect(docs.length).toBeGreaterThan(20);
    const wrong = docs.flatMap((doc) => links(doc).map((target) => complaint(doc, target)));
    expect(wrong.filter(Boolean)).toEqual([]);
  });

  it('name files that are there', () => {
    const wrong = docs.flatMap((doc) =>
      pathsIn(doc)
        .filter((word) => !exists(doc, word))
        .map((word) => `${doc.file}: ${word}`),
    );
    expect(wrong).toEqual([]);
  });

  it('are all in the index of docs', () => {
    const index = docs.find(({ file }) => file === 'docs/README.md')!;
    const listed = [...links(index), ...links(docs.find(({ file }) => file === 'docs/adr/README.md')!)]
      .map((target) => path.basename(target.split('#')[0]!))
      .concat('README.md');
    const pages = docs.map(({ file }) => file).filter((file) => file.startsWith('docs/'));
    expect(pages.filter((file) => !listed.includes(path.basename(file)))).toEqual([]);
  });
});

describe('the checks', () => {
  const doc = (text: string): Doc => ({ file: 'docs/x.md', text });

  it('see a link that leads nowhere', () => {
    expect(complaint(doc(''), 'nowhere.md')).toContain('no such file');
    expect(complaint(doc(''), '../README.md#no-such-heading')).toContain('no heading');
    expect(complaint(doc('# A heading'), '../README.md')).toBe('');
  });

  it('see a path that is not there', () => {
    expect(pathsIn(doc('`src/nothing.ts`, `dataplane/loop.ts`, `/run/ulvs`, `src/schedulers/NAME.ts`'))).toEqual([
      'src/nothing.ts',
      'dataplane/loop.ts',
    ]);
    expect(exists(doc(''), 'src/nothing.ts')).toBe(false);
    expect(exists(doc(''), 'dataplane/loop.ts')).toBe(true);
  });
});
