/** Policy rules for replies of masq destinations on the director's own machine. */
import { beforeEach, describe, expect, it } from 'vitest';
import { LocalReplies } from '../../../src/control/host/local-replies.js';
import type { Rule } from '../../../src/netlink/rule.js';
import { SCTP, TCP, UDP } from '../../../src/service/config.js';
import { service, tcp } from './services.js';

const TABLE = 1_970_000_000 + process.pid;
const VIP = '10.0.0.100';
const LOCAL = ['10.0.0.254', '2001:db8::254', '127.0.0.1', '::1'];
const NAMES = { [TCP]: 'tcp', [UDP]: 'udp', [SCTP]: 'sctp' } as const;

let commands: string[];
let warnings: string[];
let rules: Rule[];
/** What `ip` answers. */
let failure: string;

beforeEach(() => {
  commands = [];
  warnings = [];
  rules = [];
  failure = '';
});

function replies(): LocalReplies {
  const network = {
    has: (address: string) => LOCAL.includes(address),
    get rules() {
      return rules;
    },
  };
  return new LocalReplies(
    'ulvs0',
    network,
    (message) => warnings.push(message),
    (family, lines) => {
      commands.push(...lines.map((line) => `${family} ${line}`));
      return failure;
    },
  );
}

/** A rule as the kernel lists it. */
function listed(src: string, port: number, protocol: keyof typeof NAMES = TCP, table = TABLE, priority = 10): Rule {
  return { family: 4, priority, table, src: `${src}/32`, ipProto: protocol, sport: [port, port] } as unknown as Rule;
}

const rule = (address: string, port: number, protocol = 'tcp') =>
  `priority 10 from ${address} ipproto ${protocol} sport ${port}`;
const added = (family: string, address: string, port: number, protocol = 'tcp') => [
  `${family} route replace default dev ulvs0 table ${TABLE}`,
  `${family} rule add ${rule(address, port, protocol)} table ${TABLE}`,
];

describe('rules are added for', () => {
  it('a masq destination at an address of the host', () => {
    replies().update([tcp(VIP, 80, '10.0.0.254:8080 masq', '[2001:db8::254]:81 masq')]);
    expect(commands).toEqual([...added('-4', '10.0.0.254', 8080), ...added('-6', '2001:db8::254', 81)]);
  });

  it('each protocol of a fwmark service', () => {
    replies().update([service({ fwmark: 1, family: 4 }, '10.0.0.254:80 masq')]);
    expect(commands.filter((line) => line.includes(' rule add '))).toEqual(
      ['tcp', 'udp', 'sctp'].map((protocol) => `-4 rule add ${rule('10.0.0.254', 80, protocol)} table ${TABLE}`),
    );
  });

  it.each([
    ['another host', '10.1.0.1:80 masq'],
    ['another method', '10.0.0.254:80 gatewaying'],
    ['a loopback address', '127.0.0.1:80 masq'],
    ['a loopback address of IPv6', '[::1]:80 masq'],
  ] as const)('nothing at %s', (_, server) => {
    replies().update([tcp(VIP, 80, server)]);
    expect([commands, warnings]).toEqual([[], []]);
  });

  it('no destination without a port, which a warning names once', () => {
    const one = replies();
    for (let i = 0; i < 2; i++) one.update([tcp(VIP, 0, '10.0.0.254:0 masq')]);
    expect(commands).toEqual([]);
    expect(warnings).toEqual(['masq destination 10.0.0.254 is an address of this machine: it needs a port']);
  });
});

describe('rules follow', () => {
  const SERVICES = [tcp(VIP, 80, '10.0.0.254:8080 masq')];

  it('the services: what is no longer wanted is removed', () => {
    const one = replies();
    one.update(SERVICES);
    rules = [listed('10.0.0.254', 8080)];
    commands = [];
    one.update([]);
    expect(commands).toEqual([`-4 rule del ${rule('10.0.0.254', 8080)} table ${TABLE}`]);
  });

  it('the network: what was removed from outside is added again, what is present is not', () => {
    const one = replies();
    one.update(SERVICES);
    rules = [listed('10.0.0.254', 8080)];
    commands = [];
    one.refresh();
    expect(commands).toEqual([]);
    rules = [];
    one.refresh();
    expect(commands).toEqual(added('-4', '10.0.0.254', 8080));
  });

  it('the end of the director', () => {
    const one = replies();
    one.update(SERVICES);
    commands = [];
    one.end();
    expect(commands).toEqual([`-4 rule del ${rule('10.0.0.254', 8080)} table ${TABLE}`]);
    commands = [];
    one.end();
    expect(commands).toEqual([]);
  });

  it('the death of other directors, and nobody else’s rules', () => {
    const dead = 1_970_000_000 + 2 ** 22;
    rules = [
      listed('10.0.0.254', 80, TCP, dead),
      listed('10.0.0.254', 81, TCP, dead, 11),
      listed('10.0.0.254', 82, TCP, 100),
      listed('10.0.0.254', 83, TCP, dead + 1),
    ];
    replies();
    expect(commands).toEqual([`-4 rule del ${rule('10.0.0.254', 80)} table ${dead}`]);
  });
});

describe('a failure of ip', () => {
  const SERVICES = [tcp(VIP, 80, '10.0.0.254:8080 masq')];

  it('is a warning, once', () => {
    failure = 'RTNETLINK answers: Operation not permitted';
    const one = replies();
    for (let i = 0; i < 2; i++) one.update(SERVICES);
    expect(warnings).toEqual([
      'replies of masq destinations on this machine do not pass the director: ' +
        `ip rule add ${rule('10.0.0.254', 8080)} table ${TABLE}: ${failure}`,
    ]);
  });

  it.each(['RTNETLINK answers: File exists', 'RTNETLINK answers: No such file or directory'])(
    'is none when the rule is as wanted: %s',
    (text) => {
      failure = text;
      replies().update(SERVICES);
      expect(warnings).toEqual([]);
    },
  );
});
