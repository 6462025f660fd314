/** The SYN proxy: packets in, packets out. */
import { describe, expect, it } from 'vitest';
import { FrameStat } from '../../../src/stats/counters.js';
import { Drop } from '../../../src/stats/drops.js';
import { type Seg, type Sent, Stage } from './stage.js';

const SYN: Seg = { flags: 'S', seq: 100, ack: 0, window: 64240, mss: 1460, sackOk: true, ts: [7777, 0], scale: 9 };
const u32 = (n: number) => n >>> 0;

/** The client's handshake. Returns the cookie, the time stamp it was given, and what the server gets. */
function prove(stage: Stage, syn: Seg = SYN, more: Partial<Seg> = {}) {
  const [answer, ...others] = stage.client(syn);
  expect(others).toEqual([]);
  const cookie = answer!.seq;
  const given = answer!.ts?.[0] ?? 0;
  const ts = answer!.ts === undefined ? {} : { ts: [7800, given] as const };
  const ack = { flags: 'A', seq: syn.seq + 1, ack: u32(cookie + 1), window: 501, ...ts, ...more };
  return { answer: answer!, cookie, given, ack, toServer: stage.client(ack) };
}

/** The whole handshake. */
function connect(stage: Stage, synAck: Partial<Seg> = {}, syn: Seg = SYN) {
  const proof = prove(stage, syn);
  const ts = proof.answer.ts === undefined ? {} : { ts: [42_000_000, 7800] as const, scale: 10 };
  const reply = stage.server({ flags: 'SA', seq: 900, ack: syn.seq + 1, window: 65160, mss: 1460, ...ts, ...synAck });
  return { ...proof, reply };
}

const drops = ({ director }: Stage, reason: number) => director.director.counters.drops(reason);
const count = ({ director }: Stage, stat: number) => director.director.counters.values[stat];

describe.each([4, 6] as const)('the SYN proxy by IPv%i', (family) => {
  const begin = () => Stage.begin(undefined, { family });

  it('answers a SYN by a cookie: window 0, what the client offered in its timestamp', async () => {
    const stage = await begin();
    const { answer, given } = prove(stage);
    const mss = family === 4 ? 1460 : 1440;
    const words = { to: 'client', flags: 'SA', ack: 101, window: 0, mss, sackOk: true, scale: 7 };
    expect(answer).toMatchObject({ ...words, ts: [given, 7777] });
    // 5000 ms without the low bits; SACK permitted, window scale 9.
    expect(given).toBe((5000 & ~0x3f) | 0x10 | 9);
    expect(stage.states()).toHaveLength(1);
  });

  it('opens a connection by a SYN with the offers of the client', async () => {
    const { toServer } = prove(await begin());
    const mss = family === 4 ? 1460 : 1440;
    const syn = { to: 'server', flags: 'S', seq: 100, ack: 0, window: 501, mss, sackOk: true, ts: [7800, 0], scale: 9 };
    expect(toServer).toEqual([syn]);
  });

  it('joins both sides, and shifts numbers, timestamps, windows and SACK blocks', async () => {
    const stage = await begin();
    const { reply, cookie, given } = connect(stage);
    expect(reply).toEqual([
      { to: 'client', flags: 'A', seq: u32(cookie + 1), ack: 101, window: (65160 >> 7) & ~7, ts: [given, 7800] },
      { to: 'server', flags: 'A', seq: 101, ack: 901, window: 501, ts: [7800, 42_000_000] },
    ]);
    expect(stage.states()).toEqual(['ESTABLISHED']);
    expect(
      stage.client({ flags: 'PA', seq: 101, ack: u32(cookie + 1), window: 502, ts: [7900, given + 5], data: 'GET /' }),
    ).toEqual([{ to: 'server', flags: 'PA', seq: 101, ack: 901, window: 502, ts: [7900, 42_000_005], data: 'GET /' }]);
    expect(
      stage.server({ flags: 'PA', seq: 951, ack: 106, window: 100, ts: [42_000_050, 7900], data: 'later' }),
    ).toEqual([
      {
        to: 'client',
        flags: 'PA',
        seq: u32(cookie + 51),
        ack: 106,
        window: 800,
        ts: [given + 50, 7900],
        data: 'later',
      },
    ]);
    const sack = [u32(cookie + 51), u32(cookie + 56)];
    expect(stage.client({ flags: 'A', seq: 106, ack: u32(cookie + 1), window: 9, ts: [7901, given], sack })).toEqual([
      { to: 'server', flags: 'A', seq: 106, ack: 901, window: 9, ts: [7901, 42_000_000], sack: [951, 956] },
    ]);
  });

  it('translates the numbers that ICMP errors quote, or path MTU discovery would fail', async () => {
    const stage = await begin();
    const { cookie } = connect(stage);
    expect(stage.error('reply', { seq: u32(cookie + 1), ack: 101 })).toEqual({ seq: 901, ack: 101 });
    expect(stage.error('request', { seq: 101, ack: 901 })).toEqual({ seq: 101, ack: u32(cookie + 1) });
  });

  it('without timestamps there is neither window scale nor SACK, and the MSS is that of the cookie', async () => {
    const stage = await begin();
    const syn: Seg = { flags: 'S', seq: 100, ack: 0, window: 64240, mss: 1452, sackOk: true, scale: 9 };
    const { answer, toServer, reply, cookie } = connect(stage, {}, syn);
    expect(answer).not.toHaveProperty('scale');
    expect(answer).not.toHaveProperty('sackOk');
    expect(toServer).toEqual([{ to: 'server', flags: 'S', seq: 100, ack: 0, window: 501, mss: 1440 }]);
    expect(reply).toEqual([
      { to: 'client', flags: 'A', seq: u32(cookie + 1), ack: 101, window: 65160 },
      { to: 'server', flags: 'A', seq: 101, ack: 901, window: 501 },
    ]);
  });

  it('a destination that refuses: the client gets a RST with the number that it expects', async () => {
    const stage = await begin();
    const { cookie } = prove(stage);
    const words = { flags: 'RA', seq: u32(cookie + 1), ack: 101 };
    expect(stage.server({ flags: 'RA', seq: 0, ack: 101, window: 0 })).toEqual([{ to: 'client', window: 0, ...words }]);
    expect(stage.states()).toEqual(['CLOSE']);
  });

  it('a destination that is silent gets the SYN again after 1, 3, 7, 15 and 31 s; at 63 s the client gets a RST', async () => {
    const stage = await begin();
    const { toServer, cookie } = prove(stage);
    const times: number[] = [];
    let last: Sent[] = [];
    for (let now = 5000; now < 75_000; now += 100) {
      const sent = stage.advance(now);
      if (sent.length > 0) times.push(Math.round((now - 5000) / 1000));
      if (sent.length > 0 && times.length <= 5) expect(sent).toEqual(toServer);
      else if (sent.length > 0) last = sent;
    }
    expect(times).toEqual([1, 3, 7, 15, 31, 63]);
    expect(last).toEqual([{ to: 'client', flags: 'R', seq: u32(cookie + 1), ack: 0, window: 0 }]);
    expect(stage.states()).toEqual([]);
  });
});

describe('what the SYN proxy does not take', () => {
  it('a forged, an old and a stranger’s cookie', async () => {
    const stage = await Stage.begin();
    const { ack } = prove(stage);
    const refused = (seg: Seg, sport: number) => {
      expect(stage.client(seg, sport)).toEqual([{ to: 'client', flags: 'R', seq: seg.ack, ack: 0, window: 0 }]);
    };
    refused(ack, 4001);
    const other = stage.client(SYN, 4002)[0]!;
    refused({ flags: 'A', seq: 101, ack: u32(other.seq + 2), window: 1 }, 4002);
    refused({ flags: 'A', seq: 103, ack: u32(other.seq + 1), window: 1 }, 4002);
    stage.advance(5000 + 123_000);
    refused({ flags: 'A', seq: 101, ack: u32(other.seq + 1), window: 1 }, 4002);
    expect(count(stage, FrameStat.cookiesAccepted)).toBe(1);
    expect(count(stage, FrameStat.cookiesRefused)).toBe(4);
  });

  it('data before the destination has answered: the client sends it again', async () => {
    const stage = await Stage.begin();
    const { ack } = prove(stage);
    expect(stage.client({ ...ack, flags: 'PA', data: 'GET /' })).toEqual([]);
    expect(drops(stage, Drop.synProxyWaits)).toBe(1);
  });

  it('a damaged SYN, and one without a service', async () => {
    const stage = await Stage.begin();
    expect(stage.client({ ...SYN, flags: 'SA' })).toMatchObject([{ to: 'client', flags: 'R' }]);
    expect(stage.states()).toEqual([]);
  });
});

describe('on the way to a connection', () => {
  it('a probe of the zero window proves the client, too: its acknowledgement was lost', async () => {
    const stage = await Stage.begin();
    const cookie = stage.client(SYN)[0]!.seq;
    const probe = stage.client({ flags: 'A', seq: 100, ack: u32(cookie + 1), window: 501 });
    expect(probe).toMatchObject([{ to: 'server', flags: 'S', seq: 100 }]);
  });

  it('a RST of the client ends the connection at the destination', async () => {
    const stage = await Stage.begin();
    const { cookie } = prove(stage);
    expect(stage.client({ flags: 'R', seq: 101, ack: u32(cookie + 1), window: 0 })).toMatchObject([
      { to: 'server', flags: 'R', seq: 101 },
    ]);
    expect(stage.states()).toEqual([]);
  });

  it('a destination with an old connection of these ports gets a RST, then the SYN again', async () => {
    const stage = await Stage.begin();
    prove(stage);
    expect(stage.server({ flags: 'A', seq: 5, ack: 77, window: 1 })).toEqual([
      { to: 'server', flags: 'R', seq: 77, ack: 0, window: 0 },
    ]);
    expect(stage.advance(6100)).toMatchObject([{ to: 'server', flags: 'S' }]);
  });

  it('without a destination the client gets a RST', async () => {
    const stage = await Stage.begin();
    await stage.rule('-e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -w 0');
    const { toServer, cookie } = prove(stage);
    expect(toServer).toEqual([{ to: 'client', flags: 'R', seq: u32(cookie + 1), ack: 0, window: 0 }]);
    expect(drops(stage, Drop.noDestination)).toBe(1);
  });

  it('the connection’s ends: FINs and a RST of the server with shifted numbers', async () => {
    const stage = await Stage.begin();
    const { cookie, given } = connect(stage);
    expect(stage.server({ flags: 'FA', seq: 901, ack: 101, window: 10, ts: [42_000_001, 7800] })).toMatchObject([
      { flags: 'FA', seq: u32(cookie + 1), ts: [given + 1, 7800] },
    ]);
    expect(stage.server({ flags: 'R', seq: 902, ack: 0, window: 0 })).toMatchObject([
      { flags: 'R', seq: u32(cookie + 2) },
    ]);
  });
});

describe('synproxy: auto', () => {
  const AUTO = 'sysctl: { tcp_max_syn_backlog: 50 }\nserviceOptions: [{ service: SERVICE, synproxy: auto }]';
  const syn = (sport: number): Seg => ({ ...SYN, seq: sport });

  it('opens connections as without a proxy, until too many are half-open; 10 s after the flood again', async () => {
    const stage = await Stage.begin(AUTO);
    let now = 5000;
    const pass = (ms: number) => {
      now += ms;
      stage.advance(now);
    };
    pass(100);
    for (let port = 1001; port <= 1060; port++) expect(stage.client(syn(port), port)).toMatchObject([{ to: 'server' }]);
    pass(100);
    for (let port = 1061; port <= 1160; port++) expect(stage.client(syn(port), port)).toMatchObject([{ to: 'client' }]);
    expect(stage.states()).toHaveLength(60);
    expect(connect(stage).reply).toHaveLength(2);
    for (let i = 0; i < 110; i++) pass(100);
    expect(stage.client(syn(4003), 4003)).toMatchObject([{ to: 'server', flags: 'S' }]);
    // A cookie of the flood's last moment is good.
    const late = stage.director.director;
    expect(late.services.all()[0]!.synProxy!.mayHaveCookies(late.now)).toBe(true);
  });

  it('a proven client has a place in a full table, which the flood gives', async () => {
    const stage = await Stage.begin(`connections: { max: 40 }\n${AUTO.replace('auto', 'on')}`);
    for (let port = 1; port <= 100; port++) stage.client(syn(port), port);
    expect(stage.states()).toEqual([]);
    connect(stage);
    for (let port = 1; port <= 100; port++) stage.client(syn(port), port);
    expect(stage.states()).toEqual(['ESTABLISHED']);
  });

  it('persistence, thresholds and counters know the connection when its client is proven', async () => {
    const stage = await Stage.begin();
    await stage.rule('-E -t 10.0.0.100:80 -s rr -p 60');
    await stage.rule('-e -t 10.0.0.100:80 -r 192.168.1.11:8080 -m -x 1');
    stage.client(SYN, 4001);
    expect(stage.states()).toEqual([]);
    connect(stage);
    expect(stage.states().sort()).toEqual(['ASSURED', 'ESTABLISHED']);
    const dest = stage.director.director.dests[0]!;
    expect([dest.active, dest.overloaded]).toEqual([1, true]);
  });
});

describe('with other features', () => {
  it('full NAT: the client’s address in TOA, both sides joined', async () => {
    const more = 'accept: { sources: [192.168.1.250] }\nserviceOptions: [{ service: SERVICE, synproxy: on }]';
    const stage = await Stage.begin(more, { method: '--full-nat' });
    const { cookie, toServer } = prove(stage);
    expect(toServer).toMatchObject([{ to: 'server', flags: 'S', seq: 100, scale: 9 }]);
    const source = { dst: '192.168.1.250', dport: stage.lastSport };
    const seg = {
      flags: 'SA',
      seq: 900,
      ack: 101,
      window: 65160,
      mss: 1460,
      ts: [42_000_000, 7800] as const,
      scale: 7,
    };
    const joined = [
      { to: 'client', flags: 'A', seq: u32(cookie + 1) },
      { to: 'server', seq: 101, ack: 901 },
    ];
    expect(stage.server(seg, source.dport, source.dst)).toMatchObject(joined);
  });

  it('FTP: the helper’s shift comes on top, and there are no timestamps', async () => {
    const stage = await Stage.begin(undefined, { port: 21 });
    const { reply, cookie } = connect(stage);
    expect(reply).toMatchObject([
      { to: 'client', seq: u32(cookie + 1) },
      { to: 'server', ack: 901 },
    ]);
    expect(reply[0]).not.toHaveProperty('ts');
    stage.client({ flags: 'PA', seq: 101, ack: u32(cookie + 1), window: 500, data: 'PASV\r\n' });
    const text = '227 Entering Passive Mode (192,168,1,11,200,10).\r\n';
    const [answer] = stage.server({ flags: 'PA', seq: 901, ack: 107, window: 500, data: text });
    expect(answer).toMatchObject({ seq: u32(cookie + 1), data: '227 Entering Passive Mode (10,0,0,100,200,10).\r\n' });
    const by = answer!.data!.length - text.length;
    expect(stage.server({ flags: 'PA', seq: 901 + text.length, ack: 107, window: 500, data: 'x' })).toMatchObject([
      { seq: u32(cookie + 1 + text.length + by) },
    ]);
    const ack = u32(cookie + 2 + text.length + by);
    expect(stage.client({ flags: 'A', seq: 107, ack, window: 500 })).toMatchObject([{ ack: 902 + text.length }]);
  });
});

describe('real servers that are not by NAT', () => {
  it('are refused for a service with a SYN proxy', async () => {
    const stage = await Stage.begin();
    const said = await stage.told('-a -t 10.0.0.100:80 -r 192.168.1.12 -g');
    expect(said).toBe(
      '-t 10.0.0.100:80 has a SYN proxy (serviceOptions), which needs real servers by NAT: -m or --full-nat\n',
    );
    expect(await stage.told('-e -t 10.0.0.100:80 -r 192.168.1.11:8080 -i')).toMatch(/SYN proxy/);
  });

  it('so is the SYN proxy of a service that has no SYNs', async () => {
    await expect(Stage.begin('serviceOptions: [{ service: -u 10.0.0.100:53, synproxy: auto }]')).rejects.toThrow(
      'serviceOptions[0].synproxy: -u 10.0.0.100:53 is no TCP service; only such a one has SYNs',
    );
  });
});
