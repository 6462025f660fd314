/**
 * The console as a new user meets it: `ulvs lab up dr --console`, a browser, one's own packet in the
 * drawing; a fault switched on, found and repaired; and the key `console` of a director. Needs root.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryOf, program } from '../../src/lab/names.js';
import { complaintsOf, difference, launch, noBrowser } from '../support/browser.js';
import { Testbed } from './testbed.js';

const reason =
  process.getuid?.() !== 0
    ? 'needs root for namespaces'
    : existsSync('/dev/net/tun')
      ? noBrowser
      : 'needs /dev/net/tun';
if (reason) console.log(`skipped: ${reason}`);

/** Largest difference between a picture and the one in docs/images. */
const LIKE = 0.12;
const LISTEN = '127.0.0.1:9739';

function ulvs(...words: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program('cli/main.js'), ...words], (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(`${out}${err}`)),
    );
  });
}

describe.skipIf(reason !== '')('ulvs lab up dr --console', () => {
  let browser: Browser;
  let page: Page;
  let id = '';
  let complaints: string[] = [];

  beforeAll(async () => {
    const [started, out] = await Promise.all([launch(), ulvs('lab', 'up', 'dr', '--console', LISTEN)]);
    browser = started;
    const last = out.trim().split('\n').at(-1) ?? '';
    id = /^lab (dr-\S+) is up/m.exec(out)?.[1] ?? '';
    expect(last).toBe(`the console is at http://${LISTEN}/; its token is in ${directoryOf(id)}/console.token`);
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
    page = await context.newPage();
    complaints = complaintsOf(page, `http://${LISTEN}/`);
    await page.goto(`http://${LISTEN}/`);
    await page.fill('#token', readFileSync(`${directoryOf(id)}/console.token`, 'utf8').trim());
    await page.click('button');
    await page.waitForSelector('.picture svg');
  });
  afterAll(async () => {
    await browser?.close();
    await ulvs('lab', 'down', id);
    expect(complaints).toEqual([]);
  });

  const go = async (title: string) => {
    await page.click(`nav a:text-is("${title}")`);
    await page.waitForSelector(`nav a[aria-current=page]:text-is("${title}")`);
  };

  it('shows one’s own packet on its way from the client to a real server', async () => {
    await go('Follow');
    await page.fill('input[name=filter]', 'tcp port 80');
    await page.click('button:text-is("Follow")');
    await page.waitForSelector('text=following tcp port 80');
    // The first packet to each real server waits for ARP; the fourth request finds all of them resolved.
    for (const answers of [1, 2, 3, 4]) {
      await page.click('text=Send a request from the client');
      await page.waitForSelector('text=/the client got: rs\\d answers/');
      await page.waitForSelector(`.packet-list li:nth-child(${3 * answers})`);
    }
    // The last one: a SYN that waited for ARP is in the list again when it leaves, without the choice of its real server.
    await expect
      .poll(async () => {
        await page.locator('.packet-list button:has-text("tcp [S]")').last().click();
        return page.locator('.candidates').count();
      })
      .toBe(1);
    const passed: string[] = [];
    const count = Number((await page.textContent('.count'))?.split(' of ')[1]);
    for (let n = 0; n < count; n++) {
      passed.push((await page.locator('.place.here .title').textContent()) ?? '');
      if (n < count - 1) await page.keyboard.press('ArrowRight');
    }
    expect([...new Set(passed)].join(' ')).toMatch(/^client front router lan director rs\d$/);
    expect(await page.textContent('.steps')).toContain('MAC destination');
    expect(await page.textContent('.candidates')).toMatch(/✔ 192\.168\.1\.1[123]:80/);
    expect(await difference(page, 'console-follow')).toBeLessThan(LIKE);
  });

  it('shows rates, the lab and the director', async () => {
    await go('Overview');
    await page.waitForSelector('text=The lab dr-');
    expect(await page.locator('.place.host').count()).toBe(6);
    expect(await difference(page, 'console-overview')).toBeLessThan(LIKE);
  });

  it('switches a fault on, finds it with the doctor, and switches it off', async () => {
    await go('Lab');
    await page.click('li:has-text("vip-missing") [role=switch]');
    await page.waitForSelector('text=on: the VIP is missing');
    await go('Doctor');
    await page.click('text=Examine');
    await page.waitForSelector('.finding:has-text("vip-missing")', { timeout: 60_000 });
    expect(await page.textContent('.finding .command code')).toContain('ip address add');
    await go('Lab');
    await page.click('text=Switch all faults off');
    await page.waitForSelector('text=/repaired: .*ip address add/', { timeout: 60_000 });
  }, 120_000);
});

describe.skipIf(reason !== '')('console: in director.yaml', () => {
  let bed: Testbed;
  beforeAll(() => {
    bed = new Testbed('con');
  });
  afterAll(() => bed.remove());

  it('is served by the director, and its log names the user of a change', async () => {
    const rules = '-A -t 10.1.0.100:80 -s rr\n-a -t 10.1.0.100:80 -r 10.2.0.11:80 -m';
    const socket = `${bed.folder}/console.sock`;
    const director = await bed.up('-c', bed.config('d.yaml', { rules, more: `console: { listen: ${socket} }` }));
    expect(director.err + director.out).toContain(`the console is at ${socket}`);
    const token = readFileSync(`${bed.folder}/run/ulvs.token`, 'utf8').trim();
    const key = { protocol: 6, address: '10.1.0.100', port: 80 };
    const body = JSON.stringify({ changes: [{ op: 'drain', key, address: '10.2.0.11', port: 80, share: 0 }] });
    const headers = { host: 'localhost', authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const status = await new Promise((resolve, reject) => {
      const request = http.request({ socketPath: socket, path: '/api/change', method: 'POST', headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      request.on('error', reject).end(body);
    });
    expect(status).toBe(200);
    await director.says('drains, with 0 of its weight');
    expect(director.err + director.out).toContain('operator by token');
    director.kill('SIGTERM');
    expect((await director.ended).code).toBe(0);
  });
});
