/**
 * Directors of a fleet send a client to the same realserver: one that has been through many changes
 * of the rules, and one that has just been started with the last ones.
 */
import { describe, expect, it } from 'vitest';
import type { ServiceEntry } from '../../../src/control/api/api.js';
import { parseConfig } from '../../../src/control/config/config.js';
import { linesOf } from '../../../src/control/fleet/rule-keys.js';
import { InProcessDirector } from '../../../src/control/inprocess.js';
import { noCounters } from '../../../src/control/rules/counters.js';
import { changes } from '../../../src/control/rules/diff.js';
import { Rules } from '../../../src/control/rules/rules.js';
import { dryClient } from '../../../src/control/server/dry-client.js';
import { SCHEDULER_NAMES, SCHEDULERS } from '../../../src/schedulers/index.js';
import { loadRules } from '../../../src/ulvsadm/rules.js';
import { Random } from '../../support/seed.js';

const CONFIG = parseConfig('devices: [{ name: eth0, addresses: [10.0.0.2/24] }]', 'director.yaml');

/** The services of rule lines, as a dry run of a reload has them. */
async function servicesOf(value: string): Promise<ServiceEntry[]> {
  const rules = new Rules({ schedulers: SCHEDULER_NAMES, engines: [], counters: noCounters });
  await loadRules({ ...CONFIG, ruleLines: linesOf([{ key: '/ulvs/services/web', value }]) }, dryClient(rules));
  return rules.entries();
}

/** A director that takes sets of rules as a reload does. */
class Director {
  private readonly inner = new InProcessDirector(CONFIG, () => {});

  async take(value: string): Promise<void> {
    const { services = [] } = (await this.inner.request({ op: 'list' })) as { services?: ServiceEntry[] };
    const requests = changes(services, await servicesOf(value));
    for (const request of requests) expect(await this.inner.request(request)).toMatchObject({ ok: true });
  }

  /** The realserver of each client. */
  picks(clients: readonly number[]): (string | undefined)[] {
    const { schedule } = this.inner.director.services.bySlot.find((service) => service?.available)!;
    const none = new Int32Array(4);
    const at = (src: number) =>
      ({
        family: 4,
        protocol: 6,
        src,
        dst: 0x0a000064,
        src6: none,
        dst6: none,
        sport: src & 0xffff,
        dport: 80,
      }) as const;
    return clients.map((src) => schedule.schedule(at(src), 0)?.text);
  }
}

/** Rules with some of 12 realservers, some quiesced by a line of their own. */
function randomRules(random: Random, scheduler: string): string {
  const hosts = Array.from({ length: 12 }, (_, i) => `192.168.1.${i + 11}`).filter(() => random.below(3) > 0);
  const lines = hosts.map((host) => `-a -t 10.0.0.100:80 -r ${host} -g -w ${random.between(1, 3)}`);
  const quiesced = hosts.filter(() => random.below(6) === 0).map((host) => `-e -t 10.0.0.100:80 -r ${host} -g -w 0`);
  const shuffled = random.bool() ? lines : [...lines].reverse();
  return [`-A -t 10.0.0.100:80 -s ${scheduler}`, ...shuffled, ...quiesced].join('\n');
}

describe('directors with equal rules', () => {
  const ordered = SCHEDULERS.filter((scheduler) => scheduler.ordered).map(({ name }) => name);

  it('are those with mh, sh and dh: nothing else depends on the order alone', () => {
    expect(ordered).toEqual(['dh', 'sh', 'mh']);
  });

  it.each(ordered)('of %s choose alike, whatever rules they had before', async (scheduler) => {
    const random = new Random();
    const clients = Array.from({ length: 500 }, () => random.i32());
    const old = new Director();
    for (let round = 0; round < 30; round++) {
      const rules = randomRules(random, scheduler);
      await old.take(rules);
      const fresh = new Director();
      await fresh.take(rules);
      expect(old.picks(clients), `seed ${random.seed}, round ${round}`).toEqual(fresh.picks(clients));
    }
  });
});
