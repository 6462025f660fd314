/** What the watchdog is told: a worker's clock that stands still is seen, by number. */
import { describe, expect, it } from 'vitest';
import { TICK_WORD } from '../../../src/conntrack/entry.js';
import { ServiceManager } from '../../../src/control/host/service-manager.js';
import { Heartbeat } from '../../../src/control/server/heartbeat.js';

const tables = () => [0, 1, 2].map(() => new Int32Array(new SharedArrayBuffer(64)));

describe('the heartbeat', () => {
  it('knows nothing at its first look', () => {
    expect(new Heartbeat(tables(), { serviceCount: 0 }).idle()).toEqual([]);
  });

  it('names the workers whose clock stands still', () => {
    const all = tables();
    const heartbeat = new Heartbeat(all, { serviceCount: 0 });
    heartbeat.idle();
    all[1]![TICK_WORD]! += 5;
    expect(heartbeat.idle()).toEqual([0, 2]);
    for (const table of all) table[TICK_WORD]! += 1;
    expect(heartbeat.idle()).toEqual([]);
  });
});

describe('a service manager that cannot be reached', () => {
  it('is warned about, and nothing waits for it', () => {
    const warnings: string[] = [];
    const manager = new ServiceManager((text) => warnings.push(text), { NOTIFY_SOCKET: '/nowhere/notify' });
    manager.ready('up');
    expect(warnings).toEqual(['the service manager cannot be told: sendto /nowhere/notify: ENOENT']);
  });

  it('is no concern where there is none', () => {
    const warnings: string[] = [];
    new ServiceManager((text) => warnings.push(text), {}).ready('up');
    expect(warnings).toEqual([]);
  });
});
