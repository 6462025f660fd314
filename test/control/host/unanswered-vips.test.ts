import { describe, expect, it } from 'vitest';
import { HostStack } from '../../../src/control/host/host-stack.js';
import { unansweredVips } from '../../../src/control/host/unanswered-vips.js';
import { service } from './services.js';

type Live = ConstructorParameters<typeof HostStack>[0];
type StackConfig = ConstructorParameters<typeof HostStack>[1];
type Log = ConstructorParameters<typeof HostStack>[2];

const at = (address: string) => ({ key: { protocol: 6, address, port: 80 } });
const SERVICES = [
  at('10.0.0.1'),
  at('10.0.0.1'),
  at('10.9.0.1'),
  at('2001:db8::1'),
  { key: { fwmark: 1, family: 4 as const } },
];
const has = (address: string) => address === '10.0.0.1';

it.each([
  ['without arp and ranges', false, [], ['10.9.0.1', '2001:db8::1']],
  ['with a range', false, ['10.9.0.0/16'], ['2001:db8::1']],
  ['with ranges of both families', false, ['10.9.0.0/16', '2001:db8::/64'], []],
  ['with arp', true, [], []],
] as const)('VIPs that nobody finds, %s', (_, arp, ranges, vips) => {
  expect(unansweredVips(SERVICES, { arp, ranges }, has)).toEqual(vips);
});

describe('the host stack warns', () => {
  const add = (address: string) =>
    ({ op: 'addService', service: service({ protocol: 6, address, port: 80 }) }) as const;
  const remove = (address: string) => ({ op: 'deleteService', key: { protocol: 6, address, port: 80 } }) as const;

  function hostStack(snat: { to: string }[] = []) {
    const [warned, asked]: [string[], string[]] = [[], []];
    const host = { answers: false };
    const has = (address: string) => asked.push(address) > 0 && host.answers;
    const config = { accept: { arp: false, ranges: [] }, snat } as unknown as StackConfig;
    // A second later one line counts the VIPs beyond the first ones; it names none.
    const log = { warn: (text: string) => warned.push(...(/VIP (\S+):/.exec(text)?.slice(1) ?? [])) } as unknown as Log;
    const live = { has } as unknown as Live;
    return { stack: new HostStack(live, config, log, () => [], false), warned, asked, host };
  }

  it('once of a VIP, and again when it has gone or was answered meanwhile', () => {
    const { stack, warned, host } = hostStack();
    stack.intercept([add('10.0.0.1'), add('10.0.0.1'), add('10.0.0.2')]);
    stack.intercept([add('10.0.0.1')]);
    expect(warned).toEqual(['10.0.0.1', '10.0.0.2']);
    stack.intercept([remove('10.0.0.1'), add('10.0.0.1')]);
    host.answers = true;
    stack.intercept([add('10.0.0.2')]);
    host.answers = false;
    stack.intercept([add('10.0.0.2')]);
    stack.intercept([{ op: 'flush' }, add('10.0.0.2')]);
    expect(warned.slice(2)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.2']);
  });

  it('of no VIP that snat translates to: the director answers for it', () => {
    const { stack, warned } = hostStack([{ to: '10.0.0.1' }]);
    stack.intercept([add('10.0.0.1'), add('10.0.0.2')]);
    expect(warned).toEqual(['10.0.0.2']);
  });

  it('after a look at what came, not at every service', () => {
    const { stack, asked } = hostStack();
    for (let i = 0; i < 1000; i++) stack.intercept([add(`10.1.${i >> 8}.${i & 255}`)]);
    expect(asked).toHaveLength(1000);
  });
});
