/** The keys checks and metrics: each mistake is one sentence with its line; defaults; what the plan makes of them. */
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../../src/control/config/config.js';
import { serviceKey, serviceWords } from '../../../src/control/config/service-words.js';
import { plansOf } from '../../../src/control/health/plan.js';
import { DESTINATION_DEFAULTS, SERVICE_DEFAULTS } from '../../../src/service/config.js';

const HEAD = 'devices: [{ name: eth0 }]\n';
function errorOf(text: string): string {
  try {
    parseConfig(HEAD + text, 'director.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return 'no error';
}
const run = (...checks: string[]) => `checks: [{ service: "-t 10.0.0.100:80", run: [${checks.join(', ')}] }]`;

describe('mistakes in checks and metrics', () => {
  it.each([
    [run('{ type: htpp }'), 'run[0].type: "htpp" is not one of tcp, http'],
    [run('{ type: htpp }'), 'did you mean http?'],
    [run(), 'run: the list is empty; add a check such as { type: tcp }'],
    [run('{ type: tcp, intervall: 2 }'), 'no such key; did you mean interval?'],
    [run('{ type: tcp, timeout: 0 }'), 'timeout: 0 is not a number of seconds from 0.05 to 86400'],
    [run('{ type: http, status: [700] }'), 'status[0]: 700 is not a status such as 200, or a range such as 200-299'],
    [run('{ type: http, body: "(" }'), 'body: "(" is not a regular expression'],
    [run('{ type: http, path: health }'), 'path: "health" is not a path such as /health'],
    [run('{ type: tcp, send: "hex:0" }'), 'send: "hex:0" is not a text, or bytes such as hex:0d0a'],
    [run('{ type: script }'), 'command: a script needs a command such as [/usr/local/bin/check]'],
    [run('{ type: dns }'), 'lookup: dns needs a name to look up'],
    [run('{ type: tcp, after: web }'), 'after: no check of this service is called "web"'],
    [run('{ type: tcp, name: a, after: b }', '{ type: tcp, name: b, after: a }'), 'the check would wait for itself'],
    [run('{ type: tcp, name: a }', '{ type: http, name: a }'), 'run[1].name: a is already in use'],
    ['checks: [{ service: 10.0.0.100, run: [{ type: tcp }] }]', 'is not a service such as -t 10.0.0.100:80'],
    [
      'checks: [{ service: "-f 1", quorum: 2, hysteresis: 2, run: [{ type: tcp }] }]',
      '2 is not less than the quorum, 2',
    ],
    [
      'checks: [{ service: "-f 1", run: [{ type: tcp }] }, { service: "-f 1", run: [{ type: tcp }] }]',
      'checks[1].service: -f 1 is already at checks[0]',
    ],
    ['metrics: { listen: "0.0.0.0:9731" }', 'listen: "0.0.0.0:9731" is no loopback address'],
    ['metrics: { listen: 9731 }', 'listen: 9731 is not an absolute path, or a loopback address with a port'],
  ])('%s', (text, said) => {
    const message = errorOf(text);
    expect(message).toMatch(/^director\.yaml:2: /);
    expect(message).toContain(said);
  });

  it.each([
    '-t 10.0.0.100:80',
    '-u 10.0.0.100:53',
    '--sctp-service 10.0.0.100:9',
    '-f 1',
    '-f 4294967295 -6',
    '-t [2001:db8::1]:80',
  ])('%s is a service, and its words are these again', (words) => expect(serviceWords(serviceKey(words))).toBe(words));
});

describe('plans', () => {
  const service = {
    slot: 0,
    config: { ...SERVICE_DEFAULTS, key: { protocol: 6, address: '10.0.0.100', port: 80 } },
    destinations: ['192.168.1.11', '192.168.1.12'].map((address, slot) => ({
      slot,
      lastWeight: 1,
      config: { ...DESTINATION_DEFAULTS, address, port: 8080 },
    })),
  };
  const plans = (text: string) => {
    const { checks } = parseConfig(HEAD + text, 'director.yaml');
    return plansOf(checks, [service], (_, { config }) => config.address);
  };

  it('names checks by their types, and numbers the second of a type', () => {
    const [plan] = plans(run('{ type: tcp }', '{ type: tcp, port: 22 }', '{ type: http, name: web }'));
    expect(plan!.targets.map(({ name }) => name)).toEqual(['192.168.1.11:8080', '192.168.1.12:8080']);
    expect(plan!.targets[0]!.checks.map(({ id }) => id)).toEqual(['tcp', 'tcp-2', 'web']);
    expect(plan!.targets[0]!.checks[0]).toMatchObject({ interval: 2000, fast: 1000, timeout: 2000, rise: 2, fall: 3 });
  });

  it('leaves out what is not named, and does not check the sorry server', () => {
    const text = `checks: [{ service: "-t 10.0.0.100:80", sorry: "192.168.1.12:8080", run: [{ type: tcp, destinations: ["192.168.1.11"] }] }]`;
    const [plan] = plans(text);
    expect(plan!.sorry).toBe(1);
    expect(plan!.targets.map(({ slot, checks }) => [slot, checks.length])).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(plans('checks: [{ service: "-f 9", run: [{ type: tcp }] }]')).toEqual([]);
  });
});
