import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { StatsEntry } from '../../../src/control/api/api.js';
import type { Action } from '../../../src/control/rules/actions.js';
import { type CountersOf, type CountersView, NO_STATS } from '../../../src/control/rules/counters.js';
import { Rules } from '../../../src/control/rules/rules.js';
import { offlineNames, PortNames } from '../../../src/ulvsadm/names.js';
import { bothStreams, ulvsadm } from '../../../src/ulvsadm/ulvsadm.js';

/**
 * A destination taken away and brought back, its service too, and -Z in between: what the kernel listed (recorded/revival)
 * against Rules over a dataplane that only counts: each SYN is one connection, 40 bytes, of the only destination.
 */
interface Row {
  hex?: string;
  cmd?: string;
  rc: number;
  out: string;
}

const load = (name: string): Row[] =>
  readFileSync(new URL(`recorded/revival/${name}`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);

class CountingDataplane implements CountersView {
  private readonly services = new Map<number, StatsEntry>();
  private readonly destinations = new Map<number, StatsEntry>();
  private readonly active = new Map<number, number>();
  private readonly serviceOf = new Map<number, number>();

  apply(action: Action): void {
    if (action.kind === 'addDestination') this.serviceOf.set(action.slot, action.serviceSlot);
    if (action.kind === 'removeDestination') this.serviceOf.delete(action.slot);
  }

  syn(): void {
    const [[slot, serviceSlot]] = [...this.serviceOf] as [[number, number]];
    this.active.set(slot, (this.active.get(slot) ?? 0) + 1);
    this.destinations.set(slot, oneMore(this.destination(slot)));
    this.services.set(serviceSlot, oneMore(this.service(serviceSlot)));
  }

  service = (slot: number): StatsEntry => this.services.get(slot) ?? NO_STATS;
  destination = (slot: number): StatsEntry => this.destinations.get(slot) ?? NO_STATS;
  total = (): StatsEntry => NO_STATS;
  copyCounts = (of: CountersOf, slot: number, into: Float64Array, at: number): void => {
    const { conns, inpkts, outpkts, inbytes, outbytes } = this[of](slot);
    into.set([conns, inpkts, outpkts, inbytes, outbytes], at);
  };
  connections = (slot: number) => ({ activeConns: this.active.get(slot) ?? 0, inactConns: 0, persistConns: 0 });
}

function oneMore(stats: StatsEntry): StatsEntry {
  return { ...stats, conns: stats.conns + 1, inpkts: stats.inpkts + 1, inbytes: stats.inbytes + 40 };
}

it('lists what the kernel listed', async () => {
  const dataplane = new CountingDataplane();
  const rules = new Rules({ schedulers: ['rr', 'wrr'], engines: [], counters: dataplane });
  const client = {
    request: async (request: Parameters<Rules['request']>[0] | { op: 'connections' }) => {
      if (request.op === 'connections') return { ok: true as const, connections: [] };
      const { reply, actions } = rules.request(request);
      for (const action of actions) dataplane.apply(action);
      return reply;
    },
  };
  const settings = { program: 'ipvsadm', names: offlineNames(new PortNames('')) };
  const run = (cmd: string) => ulvsadm(cmd.split(' ').slice(1), () => '', client, settings);
  for (const setup of ['-A -t 10.0.0.100:80 -s rr', '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m']) {
    await run(`ipvsadm ${setup}`);
  }
  const answers = load('out.jsonl').filter(({ cmd }) => cmd !== undefined);
  for (const { hex, cmd } of load('frames.jsonl')) {
    if (hex !== undefined) dataplane.syn();
    if (cmd === undefined) continue;
    const recorded = answers.shift()!;
    const result = await run(cmd);
    expect({ cmd, rc: result.rc, out: bothStreams(result) }).toEqual({ cmd, rc: recorded.rc, out: recorded.out });
  }
  expect(answers).toEqual([]);
});
