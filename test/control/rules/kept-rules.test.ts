/** The rules that a state keeps make the same rule table again, whatever was done to it. */
import { describe, expect, it } from 'vitest';
import { noCounters } from '../../../src/control/rules/counters.js';
import { KeptRules } from '../../../src/control/rules/kept-rules.js';
import type { RulesRequest } from '../../../src/control/rules/outcome.js';
import { Rules } from '../../../src/control/rules/rules.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS, TCP } from '../../../src/service/config.js';
import { Random } from '../../support/seed.js';

const empty = () => new Rules({ schedulers: ['rr', 'wlc'], engines: [], counters: noCounters });

const keyOf = (n: number) => ({ protocol: TCP, address: `10.0.0.${1 + n}`, port: 80 });
const destinationOf = (n: number, weight: number) => {
  return { ...DESTINATION_DEFAULTS, address: `192.168.1.${1 + n}`, port: 80, weight };
};

function anyRequest(random: Random): RulesRequest {
  const key = keyOf(random.below(4));
  const scheduler = random.bool() ? 'rr' : 'wlc';
  const destination = destinationOf(random.below(3), random.below(4));
  switch (random.below(12)) {
    case 0:
    case 1:
      return { op: 'addService', service: { ...SERVICE_DEFAULTS, key, scheduler } };
    case 2:
      return { op: 'editService', service: { ...SERVICE_DEFAULTS, key, scheduler } };
    case 3:
      return { op: 'deleteService', key };
    case 4:
      return { op: 'deleteDestination', key, address: destination.address, port: 80 };
    case 5:
    case 6:
      return { op: 'editDestination', key, destination };
    case 7:
      return random.below(8) === 0 ? { op: 'flush' } : { op: 'setTimeouts', timeouts: { tcp: 7, tcpfin: 0, udp: 9 } };
    default:
      return { op: 'addDestination', key, destination };
  }
}

/** Everything that a client sees, and the slots of what comes next. */
function seen(rules: Rules): unknown {
  const timeouts = rules.request({ op: 'getTimeouts' }).reply;
  const next = Array.from({ length: 6 }, (_, n) => {
    rules.request({ op: 'addService', service: { ...SERVICE_DEFAULTS, key: keyOf(n), scheduler: 'rr' } });
    const { actions } = rules.request({ op: 'addDestination', key: keyOf(n), destination: destinationOf(1, 1) });
    return actions.map((action) => ('revived' in action ? action.revived : undefined));
  });
  return { entries: rules.entries(), timeouts, next };
}

describe('kept rules', () => {
  it('make the same table, with trash, slots and order, after any requests', () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = new Random(seed);
      const rules = empty();
      const kept = new KeptRules();
      let now = 0;
      for (let n = random.below(60); n > 0; n--) {
        const { actions, kept: other } = rules.request(anyRequest(random));
        kept.apply(other ?? actions);
        now += random.below(3) === 0 ? 70_000 : 0;
        kept.release(rules.slots.tick(now, (slot) => (slot % 3 === 0 ? 1 : 0)));
      }
      const again = empty();
      again.restore(JSON.parse(JSON.stringify(kept.actions())));
      // The shortest list makes the same list again.
      const twice = new KeptRules();
      twice.apply(kept.actions());
      expect(twice.actions(), `seed ${seed}`).toEqual(kept.actions());
      expect(seen(again), `seed ${seed}`).toEqual(seen(rules));
    }
  });

  it('have what an operator does to a destination that health has taken out', () => {
    const rules = empty();
    const kept = new KeptRules();
    const change = (request: RulesRequest) => {
      const { actions, kept: other } = rules.request(request);
      kept.apply(other ?? actions);
    };
    change({ op: 'addService', service: { ...SERVICE_DEFAULTS, key: keyOf(0), scheduler: 'rr' } });
    for (const n of [0, 1]) change({ op: 'addDestination', key: keyOf(0), destination: destinationOf(n, 3) });
    for (const slot of [0, 1]) rules.setHealth(slot, { share: 0, weight: -1, absent: true });
    change({ op: 'editDestination', key: keyOf(0), destination: destinationOf(0, 5) });
    change({ op: 'deleteDestination', key: keyOf(0), address: destinationOf(1, 3).address, port: 80 });
    const again = empty();
    again.restore(kept.actions());
    expect(again.entries()[0]!.destinations).toMatchObject([{ address: '192.168.1.1', weight: 5 }]);
  });
});
