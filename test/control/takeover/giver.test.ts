/** The running director's side of a takeover: what a successor gets, and what happens when it fails. */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseConfig } from '../../../src/control/config/config.js';
import { Giver } from '../../../src/control/takeover/giver.js';
import { foreign, notOffered, type Offer, offerOf, unfit } from '../../../src/control/takeover/offer.js';

let done: string[];
let refusal: string | undefined;
let giver: Giver;
let successor: ReturnType<typeof spawn>;

beforeEach(() => {
  [done, refusal] = [[], undefined];
  const director = {
    offer: () => refusal ?? ({ protocol: 1 } as Offer),
    pause: async () => [[7, 8]],
    takeBack: async () => void done.push('take back'),
    leave: async (pid: number) => void done.push(`leave to ${pid}`),
    yieldTo: (pid: number) => void done.push(`yield to ${pid}`),
  };
  const say = (text: string) => void done.push(text.replace(/\d+/, 'N'));
  giver = new Giver(director, { info: say, warn: say } as never);
  successor = spawn('sleep', ['60']);
});
afterEach(() => successor.kill('SIGKILL'));

it('offers, pauses and leaves, in this order only', async () => {
  const pid = successor.pid!;
  expect(await giver.answer('go', pid)).toMatchObject({ ok: false });
  expect(await giver.answer('offer', pid)).toEqual({ ok: true, takeover: '{"protocol":1}' });
  expect(giver.isBusy).toBe(true);
  expect(await giver.answer('offer', 1)).toMatchObject({ ok: false, text: `a takeover by process ${pid} goes on` });
  expect(await giver.answer('done', pid)).toMatchObject({ ok: false, text: 'this director still forwards' });
  expect(await giver.answer('go', 1)).toMatchObject({ ok: false });
  expect(await giver.answer('go', pid)).toEqual({ ok: true, takeover: '[[7,8]]' });
  expect(await giver.answer('go', pid)).toMatchObject({ ok: false });
  expect(await giver.answer('done', pid)).toEqual({ ok: true });
  expect(done).toEqual(['process N takes over', `leave to ${pid}`]);
});

it('yields after an offer only', async () => {
  const pid = successor.pid!;
  expect(await giver.answer('yield', pid)).toMatchObject({ ok: false });
  await giver.answer('offer', pid);
  expect(await giver.answer('yield', pid)).toEqual({ ok: true });
  expect(await giver.answer('yield', pid)).toMatchObject({ ok: false });
  expect(done).toEqual(['process N takes over', `yield to ${pid}`]);
});

it('refuses with a reason, and stays free', async () => {
  refusal = 'the running director keeps no state';
  expect(await giver.answer('offer', successor.pid!)).toEqual({ ok: false, errno: 'EPERM', text: refusal });
  expect(giver.isBusy).toBe(false);
});

it.each([
  ['before it is ready', ['offer']],
  ['while nobody forwards', ['offer', 'go']],
] as const)('goes on when the successor dies %s', async (_, steps) => {
  for (const step of steps) await giver.answer(step, successor.pid!);
  successor.kill('SIGKILL');
  for (let i = 0; i < 200 && giver.isBusy; i++) await sleep(10);
  expect(giver.isBusy).toBe(false);
  expect(done.slice(1)).toEqual([
    'no takeover: process N has ended before it forwarded; this director goes on',
    ...(steps.length === 2 ? ['take back'] : []),
  ]);
  expect(await giver.answer('offer', process.pid)).toMatchObject({ ok: true });
  successor.kill();
});

it('what does not fit is refused with the key that differs', () => {
  const text = 'devices: [{ name: eth0, kind: packet }, { name: eth1, kind: xdp }]';
  const config = parseConfig(text, 'a.yaml');
  const devices = [
    { name: 'eth0', kind: 'packet' },
    { name: 'eth1', kind: 'xdp' },
  ] as const;
  const offer = offerOf(config, devices, { memories: [], tuns: [], handles: [] });
  expect(unfit(offer, config)).toBeUndefined();
  expect(unfit(offer, parseConfig(text.replace('xdp', 'auto'), 'a.yaml'))).toBeUndefined();
  expect(unfit(offer, parseConfig(text.replace('xdp', 'packet'), 'a.yaml'))).toMatch(/^eth1: .*another kind/);
  expect(unfit(offer, parseConfig(text.replace('eth1', 'eth2'), 'a.yaml'))).toContain('its devices are eth0, eth1');
  expect(unfit(offer, parseConfig(`${text}\nworkers: 2`, 'a.yaml'))).toContain("'workers: 1', the configuration 2");
  expect(unfit(offer, parseConfig(`${text}\nconnections: { max: 4096 }`, 'a.yaml'))).toContain("'connections.max: ");
  expect(unfit({ ...offer, layout: 1 }, config)).toContain('its state has version 1');
  expect(foreign(offer)).toBeUndefined();
  expect(foreign({ ...offer, layout: 1 })).toBeUndefined();
  expect(foreign({ ...offer, layout: 99 })).toMatch(/state version 99/);
  expect(foreign({ ...offer, protocol: 1 })).toMatch(/speaks version 1/);
  expect(notOffered(devices, true)).toBeUndefined();
  expect(notOffered(devices, false)).toContain("set 'state'");
  expect(notOffered([{ name: 'eth0', kind: 'cap' }], true)).toContain('cannot change its process');
});
