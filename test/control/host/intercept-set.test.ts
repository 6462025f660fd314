/** The intercept rules that follow single changes, against those of all services at once. */
import { expect, it } from 'vitest';
import type { ChangeRequest } from '../../../src/control/api/api.js';
import { type InterceptSettings, interceptRules } from '../../../src/control/host/intercept-rules.js';
import { InterceptSet } from '../../../src/control/host/intercept-set.js';
import { allRules } from '../../../src/control/host/rule-counts.js';
import { parseMarkRule } from '../../../src/control/mark/rule.js';
import { noCounters } from '../../../src/control/rules/counters.js';
import { Rules } from '../../../src/control/rules/rules.js';
import type { InterceptRule } from '../../../src/device/intercept/rule.js';
import { PLAIN_TUNNEL, type ServiceKey } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const ACCEPT = { arp: true, icmp: true, ranges: [], forwardShared: ['eth0'], sources: [], toa: true };
const SETTINGS: InterceptSettings = {
  marks: [parseMarkRule('-d 10.9.0.0/16 -j MARK --set-mark 1'), parseMarkRule('-d 10.8.0.0/16 -j MARK --set-mark 2')],
  accept: ACCEPT,
  snat: [],
  ftp: [21],
  has: (address) => address === '10.0.0.100',
};
const KEYS: ServiceKey[] = [
  { protocol: 6, address: '10.0.0.100', port: 80 },
  { protocol: 6, address: '10.0.0.101', port: 80 },
  { protocol: 17, address: '10.0.0.101', port: 53 },
  { protocol: 6, address: '10.0.0.100', port: 21 },
  { fwmark: 1, family: 4 },
  { fwmark: 2, family: 4 },
];

function anyChange(random: Random): ChangeRequest {
  const key = KEYS[random.below(KEYS.length)]!;
  const [address, port] = [`192.168.1.${random.below(4)}`, 8080];
  const method = random.bool() ? ('masq' as const) : ('gatewaying' as const);
  const limits = { weight: 1, upperThreshold: 0, lowerThreshold: 0, tunnel: PLAIN_TUNNEL };
  const destination = { address, port, method, ...limits };
  const service = { key, scheduler: 'rr', flags: 0, timeout: 0, netmask: 0xffffffff, pe: '' };
  const which = random.below(20);
  if (which < 6) return { op: 'addService', service };
  if (which < 8) return { op: 'deleteService', key };
  if (which < 14) return { op: 'addDestination', key, destination };
  if (which < 16) return { op: 'editDestination', key, destination };
  return which < 19 ? { op: 'deleteDestination', key, address, port } : { op: 'flush' };
}

const texts = (rules: readonly InterceptRule[]) => rules.map((rule) => JSON.stringify(rule)).sort();

it.each([false, true])('are the same after any changes (atLeast %s)', (atLeast) => {
  const random = new Random();
  const rules = new Rules({ schedulers: ['rr'], engines: [], counters: noCounters });
  const set = new InterceptSet(SETTINGS, atLeast);
  const followed = new Set<string>();
  let settings = SETTINGS;
  for (let round = 0; round < 3000; round++) {
    const batch = Array.from({ length: 1 + random.below(4) }, () => anyChange(random));
    const accepted = batch.filter((request) => rules.request(request).reply.ok);
    if (random.below(10) === 0) {
      if (random.bool()) settings = { ...SETTINGS, ftp: random.bool() ? [21] : [21, 80] };
      set.replace(rules.configs(), settings);
    } else set.follow(accepted);
    const { added, removed } = allRules(set.take());
    for (const text of texts(removed)) expect(followed.delete(text), `${round}: ${text}`).toBe(true);
    for (const text of texts(added)) {
      expect(followed.has(text), `${round}: ${text}`).toBe(false);
      followed.add(text);
    }
    const wanted = texts(interceptRules({ ...settings, services: rules.configs() }, atLeast));
    expect(texts(set.all()), `seed ${random.seed}, round ${round}`).toEqual(wanted);
    expect([...followed].sort()).toEqual(wanted);
  }
});
