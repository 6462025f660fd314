/** When the SYN proxy of a service is on: what is unconfirmed decides. */
import { expect, it } from 'vitest';
import { SynProxy } from '../../src/service/syn-proxy.js';

const LIMIT = 1000;

/** A proxy, and seconds of `syns` SYNs each, of which `good` are confirmed. Returns when it was on, by second. */
function begin(mode: 'auto' | 'on' = 'auto') {
  const proxy = new SynProxy(mode);
  let opened = 7;
  let now = 1_000_000;
  proxy.measure(now, opened, LIMIT);
  const seconds = (n: number, syns: number, good: number) =>
    Array.from({ length: n }, () => {
      for (let i = 0; i < 10; i++, now += 100) {
        if (proxy.isOn) proxy.sent += syns / 10 - good / 10;
        else opened += syns / 10 - good / 10;
        opened += good / 10;
        proxy.confirmed += good / 10;
        proxy.measure(now, opened, LIMIT);
      }
      return proxy.isOn ? 1 : 0;
    }).join('');
  return { proxy, seconds, at: () => ({ now, opened }) };
}

it('auto: off while handshakes are completed, whatever their rate', () => {
  expect(begin().seconds(120, 50_000, 50_000)).toBe('0'.repeat(120));
});

it('auto: some clients that never answer do not turn it on', () => {
  expect(begin().seconds(180, 1000, 985)).toBe('0'.repeat(180));
});

it('auto: on as soon as more connections are half-open than the limit, off 10 s after the flood', () => {
  const { seconds } = begin();
  expect(seconds(5, 100, 100)).toBe('00000');
  expect(seconds(3, 100_000, 100)).toBe('111');
  expect(seconds(30, 100_000, 100)).toBe('1'.repeat(30));
  expect(seconds(12, 100, 100)).toMatch(/^1{9,10}0+$/);
  expect(seconds(60, 100, 100)).toBe('0'.repeat(60));
});

it('auto: a flood of just the limit does not make it flutter', () => {
  const { seconds } = begin();
  const on = seconds(300, 20, 0);
  expect(on).toMatch(/^0{40,60}1+$/);
});

it('on is always on, and auto begins anew after a pause', () => {
  expect(begin('on').seconds(3, 1, 1)).toBe('111');
  const { proxy, seconds, at } = begin();
  seconds(1, 100_000, 0);
  expect(proxy.isOn).toBe(true);
  proxy.measure(at().now + 3_600_000, at().opened, LIMIT);
  expect(proxy.isOn).toBe(false);
});

it('cookies may come back for 128 s', () => {
  const proxy = new SynProxy('on');
  expect(proxy.mayHaveCookies(0)).toBe(false);
  proxy.noteCookie(5000);
  expect([proxy.mayHaveCookies(132_000), proxy.mayHaveCookies(133_000)]).toEqual([true, false]);
});
