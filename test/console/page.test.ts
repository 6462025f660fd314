/// <reference lib="dom" />
/** The console's page in a real Chromium: every page, every action, WCAG, hostile texts, 400 px, a recording. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Recorder } from '../../src/cli/console/recorder.js';
import type { AdminReply } from '../../src/control/api/api.js';
import type { ConsoleExtras } from '../../src/control/console/extras.js';
import { type ConsoleServer, serveConsole } from '../../src/control/console/server.js';
import type { Finding } from '../../src/doctor/facts.js';
import { axe, complaintsOf, launch, noBrowser } from '../support/browser.js';
import { ConsoleDirector } from '../support/console-director.js';

const OPERATOR = 'operator-token-for-tests';
const READER = 'reader-token-for-tests-1';
const HOSTILE = `<img src=x onerror=alert(1)><script>alert(2)</script>"'\u0000&lt;`;

const finding: Finding = {
  id: 'vip-missing',
  host: 'rs1',
  wrong: 'the VIP is missing on rs1',
  seen: HOSTILE,
  consequence: 'its clients get no answer',
  fix: ['ip address add 10.0.0.100/32 dev lo'],
};
const done: string[] = [];
const extras: ConsoleExtras = {
  examine: async () => [finding],
  lab: {
    drawing: {
      id: 'nat-0000',
      topology: 'nat',
      summary: 'LVS-NAT',
      vips: ['10.0.0.100'],
      faults: [{ name: 'vip-missing', title: 'the VIP is missing' }],
      hosts: [
        { name: 'client', role: 'client', ports: [port('eth0', 'front', '02:00:00:00:c0:01', '10.0.0.1/24')] },
        {
          name: 'director',
          role: 'director',
          ports: [
            port('eth0', 'front', '02:00:00:00:0d:00', '10.0.0.254/24'),
            port('eth1', 'back', '02:00:00:00:0d:01', '192.168.1.254/24'),
          ],
        },
        { name: 'rs1', role: 'realserver', ports: [port('eth0', 'back', '02:00:00:00:b1:00', '192.168.1.11/24')] },
        { name: 'rs2', role: 'realserver', ports: [port('eth0', 'back', '02:00:00:00:b2:00', '192.168.1.12/24')] },
      ],
    },
    breakBy: async (name) => void done.push(`break ${name}`),
    repair: async () => ['ip address add …'],
    request: async () => 'rs1 answers',
  },
};

function port(dev: string, segment: string, mac: string, address: string) {
  return { dev, segment, mac, addresses: [address] };
}

/** One real server on the link, one behind a router. */
const routes = [
  { address: '192.168.1.11', to: '192.168.1.0/24', device: 'eth1' },
  { address: '192.168.1.12', to: '192.168.1.12/32', device: 'eth1', via: '192.168.1.1' },
];

/** What strangers control, in the answers of the director; and routes. */
function hostile(reply: AdminReply): AdminReply {
  if (reply.ok && reply.routes !== undefined) return { ...reply, routes };
  if (!reply.ok || reply.health === undefined) return reply;
  const check = { id: HOSTILE, type: 'http' as const, up: false, text: HOSTILE, took: 1.5, passed: 0, failed: 3 };
  const target = { slot: 0, name: HOSTILE, up: false, share: 1, since: 5000, changes: 1, checks: [check] };
  return { ...reply, health: [{ name: HOSTILE, up: 0, quorum: 1, quorate: false, targets: [target] }] };
}

describe.skipIf(noBrowser !== '')(`the page${noBrowser && ` (${noBrowser})`}`, () => {
  let browser: Browser;
  let director: ConsoleDirector;
  let server: ConsoleServer;
  let origin: string;
  const pages: { page: Page; complaints: string[] }[] = [];

  beforeAll(async () => {
    [browser, director] = await Promise.all([launch(), ConsoleDirector.start()]);
    director.disguise = hostile;
    const tokens = { operator: OPERATOR, reader: READER };
    const { clientFor } = director;
    const listen = { host: '127.0.0.1', port: 0 };
    server = await serveConsole({ listen, tokens, tokenFile: '/run/ulvs/ulvs.token', clientFor, extras });
    origin = server.address;
    for (let sport = 3000; sport < 3250; sport++) director.connect(sport, HOSTILE);
    director.call('<script>alert(4)</script>');
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });
  afterEach(async () => {
    for (const { page, complaints } of pages.splice(0)) {
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });

  async function open(token = OPERATOR, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    const page = await context.newPage();
    const complaints = complaintsOf(page, origin);
    page.setDefaultTimeout(15_000);
    await page.goto(origin);
    await page.fill('#token', token);
    await page.click('button');
    await page.waitForSelector('.picture svg');
    pages.push({ page, complaints });
    return page;
  }

  const titles = ['Overview', 'Services', 'Connections', 'Follow', 'Drops', 'Doctor', 'Lab'];
  const go = async (page: Page, title: string) => {
    await page.click(`nav a:text-is("${title}")`);
    await page.waitForSelector(`nav a[aria-current=page]:text-is("${title}")`);
    await page.waitForSelector('h2');
  };
  const confirm = async (page: Page, words: RegExp) => {
    await page.waitForSelector('dialog .diff');
    expect(await page.textContent('dialog .diff')).toMatch(words);
    await page.click('dialog button:text-is("Change it")');
    await page.waitForSelector('.undo button');
  };
  let nextPort = 4100;
  const follow = async (page: Page) => {
    await go(page, 'Follow');
    await page.fill('input[name=filter]', 'tcp port 80');
    await page.click('button:text-is("Follow")');
    await page.waitForSelector('text=following tcp port 80');
    director.connect(nextPort++, HOSTILE);
    await page.waitForSelector('.packet-list li:nth-child(2)');
  };

  it('draws routers and devices on the way to the real servers', async () => {
    const page = await open(READER);
    const drawing = await page.textContent('.picture svg');
    expect(drawing).toMatch(/router192\.168\.1\.1(?!\d)/);
    expect(drawing?.match(/NAT eth1/g)).toHaveLength(3);
  });

  it.each([
    ['light', undefined],
    ['dark', ['color-contrast']],
  ] as const)(
    'breaks no rule of WCAG AA, in the %s',
    async (colorScheme, rules) => {
      const page = await open(OPERATOR, { colorScheme });
      for (const title of titles) {
        await go(page, title);
        if (title === 'Doctor') await page.click('text=Examine').then(() => page.waitForSelector('.finding'));
        if (title === 'Follow') await follow(page);
        if (title === 'Connections') await page.fill('input[name=query]', 'client:3007');
        if (title === 'Connections') await page.waitForSelector('text=/^1 of them/');
        expect([title, await axe(page, rules)]).toEqual([title, []]);
      }
    },
    60_000,
  );

  it('has a login form without violations, which says when a token is wrong', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(origin);
    expect(await axe(page)).toEqual([]);
    await page.fill('#token', 'not-the-token');
    await page.keyboard.press('Enter');
    await page.waitForSelector('[role=alert]');
    expect(page.url()).not.toContain('token');
    await page.context().close();
  });

  it('is usable at 400 px: nothing is wider than the page', async () => {
    const page = await open(OPERATOR, { viewport: { width: 400, height: 800 } });
    for (const title of titles) {
      await go(page, title);
      if (title === 'Follow') await follow(page);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect([title, width]).toEqual([title, 400]);
    }
  });

  it('changes weights, drains, adds and removes after a confirmation, and takes it back', async () => {
    const page = await open();
    await go(page, 'Services');
    await page.getByLabel('weight of 192.168.1.12:8080').fill('5');
    await confirm(page, /192\.168\.1\.12:8080.*weight 2 -> 5/);
    await page.waitForSelector('tr:has-text("192.168.1.12:8080") .weight .number:text-is("5")');
    await page.click('.undo button');
    await page.waitForSelector('tr:has-text("192.168.1.12:8080") .weight .number:text-is("2")');

    await page.getByLabel('drain 192.168.1.12:8080').click();
    await confirm(page, /drains/);
    await page.waitForSelector('tr:has-text("192.168.1.12:8080") progress');
    await page.getByLabel('undrain 192.168.1.12:8080').click();
    await confirm(page, /no longer/);

    await page.click('article[aria-label="TCP 10.0.0.100:80"] button:text-is("Add a real server")');
    await page.fill('dialog input[name=address]', '192.168.1.13');
    await page.click('dialog button:text-is("Show what changes")');
    await confirm(page, /192\.168\.1\.13:8080 of -t 10\.0\.0\.100:80 added: masq, weight 1/);
    await page.getByLabel('remove 192.168.1.13:8080').click();
    await page.waitForSelector('dialog .diff');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    expect(await page.locator('tr:has-text("192.168.1.13:8080")').count()).toBe(1);
    await page.getByLabel('remove 192.168.1.13:8080').click();
    await confirm(page, /192\.168\.1\.13:8080 .*deleted/);

    await page.click('button:text-is("Add a service")');
    await page.fill('dialog input[name=address]', '10.0.0.100');
    await page.fill('dialog input[name=port]', '443');
    await page.selectOption('dialog select[name=scheduler]', 'sed');
    const seen = director.asked.filter(({ op }) => op === 'status').length;
    // Snapshots come meanwhile: what is typed stays.
    await expect
      .poll(() => director.asked.filter(({ op }) => op === 'status').length, { timeout: 15_000 })
      .toBeGreaterThan(seen + 1);
    await page.click('dialog button:text-is("Show what changes")');
    await confirm(page, /443 added: scheduler sed/);
    await page.waitForSelector('article[aria-label="TCP 10.0.0.100:443"]');
    await page.click('article[aria-label="TCP 10.0.0.100:443"] button:text-is("Remove the service")');
    await confirm(page, /443 deleted/);
    await page.waitForSelector('article[aria-label="TCP 10.0.0.100:443"]', { state: 'detached' });
  });

  it('finds connections, shows the course of one, and leads to its packets', async () => {
    const page = await open();
    await go(page, 'Connections');
    await page.waitForSelector('tbody tr');
    await page.fill('input[name=query]', 'client:3007');
    await page.waitForSelector('text=/^1 of them/');
    await page.click('tbody tr:first-child .link');
    await page.waitForSelector('dialog .timeline li');
    expect(await page.textContent('dialog')).toContain('10.0.0.1:3007 → 10.0.0.100:80');
    await page.click('text=Follow its packets');
    expect(await page.inputValue('input[name=filter]')).toBe('host 10.0.0.1 and port 3007');
    await go(page, 'Connections');
    await page.click('text=Next page');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length < 100);
  });

  it('follows a packet step by step, back and forth, by keys too', async () => {
    const page = await open();
    await follow(page);
    const label = () => page.textContent('.now b');
    const press = async (key: string, times: number) => {
      for (let n = 0; n < times; n++) await page.keyboard.press(key);
    };
    await page.click('.packet-list li:first-child button');
    expect(await page.locator('.place.here .title').textContent()).toBe('client');
    expect(await page.textContent('.candidates')).toContain('✔ 192.168.1.1');
    await press('ArrowRight', 2);
    expect(await label()).toBe('in eth0');
    const count = Number((await page.textContent('.count'))?.split(' of ')[1]);
    await press('ArrowRight', count - 3);
    expect(await label()).toBe('verdict');
    expect(await page.locator('.place.here .title').textContent()).toMatch(/rs[12]/);
    expect(await page.locator('.bytes mark').count()).toBeGreaterThan(10);
    await press('ArrowLeft', 1);
    expect(await label()).not.toBe('verdict');
    await press('ArrowRight', 2);
    expect(await page.textContent('.count')).toContain('step 1 of');
    await press('ArrowUp', 1);
    await page.click('button:text-is("Play")');
    await page.waitForFunction(() => document.querySelector('.count')?.textContent?.includes('step 2 of'));
    await page.click('button:text-is("Pause")');
    await page.click('button:text-is("Stop")');
    await page.waitForSelector('text=the trace has ended');
  });

  it('shows what strangers wrote as text: Call-IDs, bodies of checks, packets', async () => {
    const page = await open();
    await go(page, 'Connections');
    await page.fill('input[name=query]', 'udp');
    await page.waitForSelector('td.key:has-text("<script>alert(4)")');
    await go(page, 'Services');
    await page.waitForSelector('td.key:has-text("<script>")');
    await go(page, 'Doctor');
    await page.click('text=Examine');
    await page.waitForSelector('dd:has-text("<script>")');
    expect(await page.locator('img, main script').count()).toBe(0);
  });

  it('switches faults of a lab on and off', async () => {
    const page = await open();
    await go(page, 'Lab');
    await page.click('[role=switch]');
    await page.waitForSelector('[role=switch][aria-checked=true]');
    expect(done).toEqual(['break vip-missing']);
    await page.click('text=Switch all faults off');
    await page.waitForSelector('text=repaired: ip address add');
    await page.click('text=Send a request');
    await page.waitForSelector('text=rs1 answers');
  });

  it('gives readers no button that changes something', async () => {
    const page = await open(READER);
    await go(page, 'Services');
    expect(await page.locator('main button').count()).toBe(0);
    await go(page, 'Lab');
    expect(await page.locator('main button:enabled').count()).toBe(0);
    await go(page, 'Follow');
    expect(await page.locator('button:text-is("Follow"):enabled').count()).toBe(0);
  });

  it('opens a recording from a file, without a server, whatever its packets say', async () => {
    const recorded = await ConsoleDirector.start();
    const recorder = new Recorder('tcp', false);
    recorder.attach(recorded.director);
    recorded.connect(4000, '</script><script>alert(3)</script>');
    const folder = mkdtempSync(path.join(tmpdir(), 'ulvs-view-'));
    const file = path.join(folder, 'view.html');
    writeFileSync(file, await recorder.page('a recording </script>'));
    const page = await (await browser.newContext({ offline: true })).newPage();
    const complaints = complaintsOf(page, 'file:');
    await page.goto(`file://${file}`);
    await page.waitForSelector('.packet-list li:nth-child(2)');
    await page.keyboard.press('ArrowRight');
    expect(await page.textContent('.count')).toContain('step 2 of');
    expect(await page.textContent('h1')).toBe('a recording </script>');
    expect(await axe(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.context().close();
    rmSync(folder, { recursive: true });
  });
});
