/// <reference lib="dom" />
/** Debian's Chromium, driven by playwright-core: `scripts/setup.sh programs` installs it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const IMAGES = path.resolve(import.meta.dirname, '../../docs/images');

/** Why there is no browser; '': there is one. */
export const noBrowser = existsSync(PROGRAM) ? '' : `${PROGRAM} is missing: run scripts/setup.sh programs`;

/** Root needs --no-sandbox; the pages are our own. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: PROGRAM, args: ['--no-sandbox'] });
}

/** What goes wrong in a page: errors, messages of the policy, requests to other hosts. */
export function complaintsOf(page: Page, origin: string): string[] {
  const found: string[] = [];
  page.on('pageerror', (error) => found.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') found.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) found.push(`asked ${request.url()}`);
  });
  page.on('dialog', (dialog) => {
    found.push(`a script ran: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return found;
}

/** The violations of WCAG 2.2 AA that axe finds, one line each. */
export async function axe(page: Page): Promise<string[]> {
  // By the debugger, which the policy of the page does not concern.
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  return page.evaluate(async (values) => {
    const { axe: checker } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await checker.run(document, { runOnly: { type: 'tag', values } });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }, tags);
}

/**
 * How much a picture of the page differs from the one in docs/images, 0 to 1: both are made small
 * first, so that fonts and figures do not matter. With ULVS_SCREENSHOTS=1 the one in docs/images is
 * written anew.
 */
export async function difference(page: Page, name: string): Promise<number> {
  const file = path.join(IMAGES, `${name}.png`);
  const shot = await page.screenshot({ animations: 'disabled' });
  if (process.env.ULVS_SCREENSHOTS === '1') {
    mkdirSync(IMAGES, { recursive: true });
    writeFileSync(file, shot);
  }
  const urls = [shot, readFileSync(file)].map((png) => `data:image/png;base64,${png.toString('base64')}`);
  return page.evaluate(async ([one, other]) => {
    const small = async (url: string) => {
      const image = new Image();
      image.src = url;
      await image.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: 32, height: 20 });
      const context = canvas.getContext('2d')!;
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, 32, 20);
      return context.getImageData(0, 0, 32, 20).data;
    };
    const [a, b] = [await small(one!), await small(other!)];
    return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length / 255;
  }, urls);
}
