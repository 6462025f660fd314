/** Passive checks: what packets make of the counters, and what the counters make of the check. */
import { beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/control/config/config.js';
import { InProcessDirector } from '../../src/control/inprocess.js';
import { Passive } from '../../src/health/passive.js';
import { Counters, GAUGES, Gauge } from '../../src/stats/counters.js';
import { offlineNames } from '../../src/ulvsadm/names.js';
import { ulvsadm } from '../../src/ulvsadm/ulvsadm.js';
import { packet } from '../support/packet.js';
import { CHECK } from './check.js';

const NETWORK = `
devices:
  - { name: eth0, mac: 02:00:00:00:0d:00, addresses: [10.0.0.254/24] }
  - { name: eth1, mac: 02:00:00:00:0d:01, addresses: [192.168.1.254/24] }
neighbours:
  - { ip: 10.0.0.1, dev: eth0, mac: 02:00:00:00:c0:01 }
  - { ip: 192.168.1.11, dev: eth1, mac: 02:00:00:00:a0:11 }
`;
/** Slots 0 to 2. */
const RULES = [
  '-A -t 10.0.0.100:80 -s rr',
  '-a -t 10.0.0.100:80 -r 192.168.1.11:8080 -m',
  '-A -t 10.0.0.100:82 -s rr',
  '-a -t 10.0.0.100:82 -r 192.168.1.11:82 -g',
  '-A -u 10.0.0.100:53 -s rr',
  '-a -u 10.0.0.100:53 -r 192.168.1.11:53 -m',
];
const fromClient = packet().eth('02:00:00:00:c0:01', '02:00:00:00:0d:00').ipv4({ src: '10.0.0.1', dst: '10.0.0.100' });
const serverFrame = packet().eth('02:00:00:00:a0:11', '02:00:00:00:0d:01');
const fromServer = serverFrame.ipv4({ src: '192.168.1.11', dst: '10.0.0.1' });

describe('the counters of a destination', () => {
  let one: InProcessDirector;
  beforeEach(async () => {
    one = new InProcessDirector(parseConfig(NETWORK, 'test.yaml'), () => {});
    for (const line of RULES)
      expect((await ulvsadm(line.split(' '), () => '', one, { names: offlineNames() })).err).toBe('');
  });

  const client = (flags: string, dport = 80, sport = 4000) =>
    one.receive(0, fromClient.tcp({ sport, dport, flags }).bytes());
  const server = (flags: string, dport = 4000) => one.receive(1, fromServer.tcp({ sport: 8080, dport, flags }).bytes());
  const counts = (slot = 0) => {
    const { gauges } = one.director.counters;
    const [answered, unanswered, refused] = [Gauge.answered, Gauge.unanswered, Gauge.refused].map(
      (gauge) => gauges[slot * GAUGES + gauge],
    );
    return { answered, unanswered, refused };
  };

  it('a complete handshake is one answered connection, whatever follows', () => {
    for (const [who, flags] of [
      [client, 'S'],
      [server, 'SA'],
      [client, 'A'],
      [client, 'PA'],
      [server, 'FA'],
      [client, 'R'],
    ] as const)
      who(flags);
    expect(counts()).toEqual({ answered: 1, unanswered: 0, refused: 0 });
  });

  it('a SYN that comes again without an answer, and the end of its timer', () => {
    client('S');
    client('S');
    client('S');
    expect(counts()).toEqual({ answered: 0, unanswered: 2, refused: 0 });
    one.advance(61_000);
    expect(counts().unanswered).toBe(3);
  });

  it('a flood of forged SYNs is no fault of a real server that answers', () => {
    for (let sport = 1; sport <= 50; sport++) {
      client('S', 80, sport);
      server('SA', sport);
      client('S', 80, sport);
    }
    one.advance(61_000);
    expect(counts()).toEqual({ answered: 0, unanswered: 0, refused: 0 });
  });

  it('a RST that answers a SYN', () => {
    client('S');
    server('RA');
    expect(counts()).toEqual({ answered: 0, unanswered: 0, refused: 1 });
  });

  it('of DR: the ACK of the client, and a repeated SYN, but not the end of the timer', () => {
    client('S', 82);
    client('A', 82);
    client('S', 82, 5000);
    client('S', 82, 5000);
    client('S', 82, 6000);
    one.advance(70_000);
    expect(counts(1)).toEqual({ answered: 1, unanswered: 1, refused: 0 });
  });

  it('ICMP unreachable about a connection, but not for its length', () => {
    one.receive(0, fromClient.udp({ sport: 4000, dport: 53 }).payload('?').bytes());
    for (const code of [3, 4, 1]) {
      const error = fromServer.icmp({ type: 3, code }).ipv4({ src: '10.0.0.1', dst: '192.168.1.11' });
      one.receive(1, error.udp({ sport: 4000, dport: 53 }).payload('?').bytes());
    }
    expect(counts(2)).toEqual({ answered: 0, unanswered: 0, refused: 2 });
  });
});

describe('a passive check', () => {
  const target = {
    slot: 3,
    name: '192.168.1.11:80',
    address: '192.168.1.11',
    pinged: '192.168.1.11',
    port: 80,
    checks: [],
  };
  const check = { ...CHECK, id: 'passive', type: 'passive', failures: 3, share: 0.5, pause: 10_000 } as const;
  let counters: Counters;
  let passive: Passive;
  const add = (gauge: number, n: number) => {
    counters.gauges[3 * GAUGES + gauge]! += n;
  };
  const look = (now: number) => passive.look(target, check, now);
  beforeEach(() => {
    counters = new Counters();
    add(Gauge.answered, 2 ** 31 - 2);
    passive = new Passive(counters);
    expect(look(0)).toEqual({ ok: true, text: '0 answered, 0 unanswered, 0 refused' });
  });

  it('is bad when enough connections failed, and a large share of them', () => {
    add(Gauge.refused, 2);
    expect(look(1000).ok).toBe(true);
    add(Gauge.answered, 4);
    add(Gauge.unanswered, 3);
    expect(look(2000)).toEqual({ ok: true, text: '4 answered, 3 unanswered, 0 refused' });
    add(Gauge.unanswered, 2);
    add(Gauge.refused, 1);
    expect(look(3000)).toEqual({ ok: false, text: '0 answered, 2 unanswered, 1 refused' });
  });

  it('stays bad for its pause, then clients try again', () => {
    add(Gauge.refused, 3);
    expect(look(1000).ok).toBe(false);
    expect(look(5000)).toEqual({ ok: false, text: 'clients try it again in 6 s' });
    expect(look(11_000).ok).toBe(true);
  });

  it('forgets a destination that has gone', () => {
    add(Gauge.refused, 3);
    expect(look(1000).ok).toBe(false);
    passive.keep([]);
    expect(look(2000).ok).toBe(true);
  });
});
