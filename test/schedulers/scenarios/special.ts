/** Scenes about one feature each: flags, unusual weights, the cache of lblc and lblcr. */
import { Random } from '../../support/seed.js';
import type { Play, Scene } from './stage.js';

const FIVE = ['1 -w 1', '2 -w 3', '3 -w 2', '4 -w 5', '5 -w 1'] as const;

/**
 * Each of `clients` connects from two ports. The odd servers are quiesced and come back in between.
 */
function hashed(play: Play): void {
  const all = (round: number) => {
    for (let n = 0; n < 24; n++) for (const port of [1, 2]) play.send(play.client(n, 1000 * round + 100 * port + n));
  };
  all(1);
  for (const n of [1, 3, 5]) play.edit(`${play.server(n)} -g -w 0`);
  all(2);
  play.edit(`${play.server(3)} -g -w 4`);
  for (const n of [2, 4]) play.run(`-d ${play.service} -r ${play.server(n)}`);
  all(3);
  play.edit(`${play.server(3)} -g -w 0`);
  all(4);
  play.listings();
}

function flagScenes(): Scene[] {
  const scenes: Scene[] = [];
  for (const name of ['sh', 'mh'])
    for (const flags of ['', `${name}-port`, `${name}-fallback`, `${name}-port,${name}-fallback`])
      for (const six of [false, true])
        scenes.push({
          name: `sched-${name}${flags === '' ? '-plain' : `-${flags.replaceAll(`${name}-`, '').replace(',', '-')}`}${six ? '6' : ''}`,
          about: `${name}${flags && ` with ${flags}`}: clients from two ports each, destinations quiesced and removed.`,
          scheduler: flags === '' ? name : `${name} -b ${flags}`,
          servers: FIVE,
          six,
          play: hashed,
        });
  return scenes;
}

/**
 * Every client connects once and no connection ends. This shows the plain order of choices, and a
 * switch to another scheduler and back in mid-turn.
 */
function ordered(play: Play): void {
  for (let n = 0; n < 31; n++) play.send(play.client(n, undefined, n));
  play.run(`-d ${play.service} -r ${play.server(3)}`);
  for (let n = 31; n < 40; n++) play.send(play.client(n, undefined, n));
  play.run(`-a ${play.service} -r ${play.server(6)} -g -w 4`);
  for (let n = 40; n < 50; n++) play.send(play.client(n, undefined, n));
  play.edit(`${play.server(6)} -g -w 4`);
  for (let n = 50; n < 60; n++) play.send(play.client(n, undefined, n));
  play.listings();
}

function orderScenes(names: readonly string[]): Scene[] {
  const heavy = ['1 -w 2147483647', '2 -w 1000000', '3 -w 1', '4 -w 65536', '5 -w 0'];
  return names.flatMap((scheduler) => {
    const marked = ['dh', 'lblc', 'lblcr'].includes(scheduler);
    const about = `${scheduler}: one connection after the other, a destination goes, one comes, one is edited without a change.`;
    const one = { about, scheduler, marked, play: ordered };
    return [
      { ...one, name: `sched-${scheduler}-order`, servers: FIVE },
      { ...one, name: `sched-${scheduler}-equal`, servers: [1, 2, 3, 4].map((n) => `${n} -w 2`) },
      ...(scheduler === 'wrr' ? [] : [{ ...one, name: `sched-${scheduler}-heavy`, servers: heavy }]),
    ];
  });
}

/**
 * All destinations reach their upper threshold, in mid-turn and at its end. Then one becomes
 * available again.
 */
function full(play: Play): void {
  for (let n = 0; n < 12; n++) play.send(play.client(n));
  for (const n of [2, 7]) play.send(play.client(n), 'FA');
  play.wait(130_000);
  for (let n = 12; n < 30; n++) play.send(play.client(n));
  play.edit(`${play.server(2)} -g -w 3 -x 9`);
  for (let n = 30; n < 40; n++) play.send(play.client(n));
  play.edit(`${play.server(2)} -g -w 3 -x 2`);
  play.edit(`${play.server(1)} -g -w 1 -x 0`);
  for (let n = 40; n < 50; n++) play.send(play.client(n));
  play.listings();
}

function fullScenes(names: readonly string[]): Scene[] {
  return names.map((scheduler) => ({
    name: `sched-${scheduler}-full`,
    about: `${scheduler}: everybody over the upper threshold, then edits that open a destination again.`,
    scheduler,
    servers: ['1 -w 1 -x 2', '2 -w 3 -x 4', '3 -w 2 -x 3 -y 2'],
    play: full,
  }));
}

/**
 * Address 1 belongs to the second server, which wlc would not choose now. The scene shows whether
 * the cache still has it.
 */
function expiry(play: Play): void {
  const twoAddresses = (port: number) => {
    for (const vip of [0, 1]) play.send(play.client(1, port + vip, vip));
  };
  twoAddresses(3000);
  play.wait(100_000);
  play.send(play.client(2, 3100, 1));
  play.wait(1_600_000);
  play.send(play.client(2, 3200, 1));
  twoAddresses(3300);
  // The full sweep is the 30th, after 1800 s. Each sweep may be up to 2 s late.
  play.wait(200_000);
  play.send(play.client(2, 3400, 1));
  play.send(play.client(2, 3500, 0));
  play.listings();
}

/** One address whose destination is overloaded again and again. Then its set rests and shrinks. */
function replication(play: Play): void {
  let port = 4000;
  const more = (vip: number, n: number) => {
    for (let i = 0; i < n; i++) play.send(play.client(i, port++, vip));
  };
  more(0, 20);
  more(1, 6);
  play.wait(31_000);
  more(0, 4);
  play.wait(31_000);
  more(0, 12);
  play.run(`-d ${play.service} -r ${play.server(2)}`);
  more(0, 6);
  play.wait(40_000);
  more(1, 3);
  more(0, 3);
  play.run(`-a ${play.service} -r ${play.server(2)} -g -w 3`);
  more(0, 6);
  play.edit(`${play.server(4)} -g -w 0`);
  more(0, 3);
  more(1, 12);
  play.listings();
}

/**
 * A destination without connections is removed and added again. Its address uses it again, although
 * it has the higher load.
 */
function revival(play: Play): void {
  for (const vip of [0, 1]) play.send(play.client(1, 6000 + vip, vip));
  play.wait(100_000);
  for (const n of [1, 2]) {
    play.run(`-d ${play.service} -r ${play.server(n)}`);
    play.run(`-a ${play.service} -r ${play.server(n)} -g -w 100`);
  }
  for (let vip = 2; vip < 5; vip++) play.send(play.client(1, 6100 + vip, vip));
  for (const vip of [0, 1]) play.send(play.client(1, 6200 + vip, vip));
  play.send(play.client(1, 6300, 0));
  play.listings();
}

function localityScenes(): Scene[] {
  return ['lblc', 'lblcr'].flatMap((scheduler) => {
    const common = { scheduler, marked: true };
    return [
      {
        ...common,
        name: `sched-${scheduler}-expiry`,
        about: `${scheduler}: an address that nobody asked for is forgotten by the half-hourly sweep, not before.`,
        servers: ['1 -w 100', '2 -w 100'],
        sysctl: { [`${scheduler}_expiration`]: 90 },
        play: expiry,
      },
      {
        ...common,
        name: `sched-${scheduler}-revived`,
        about: `${scheduler}: destinations without connections are removed and added again.`,
        servers: ['1 -w 100', '2 -w 100'],
        play: revival,
      },
      {
        ...common,
        name: `sched-${scheduler}-strained`,
        about: `${scheduler}: an address outgrows its destination; destinations go and come back.`,
        servers: ['1 -w 2', '2 -w 3', '3 -w 4', '4 -w 5'],
        sysctl: { [`${scheduler}_expiration`]: 30 },
        play: replication,
      },
    ];
  });
}

/** UDP has no active connections: only the number of connections counts. */
function udpScenes(): Scene[] {
  return ['rr', 'lc', 'wlc', 'sed', 'nq', 'ovf'].map((scheduler) => ({
    name: `sched-${scheduler}-udp`,
    about: `${scheduler}: UDP.`,
    scheduler,
    servers: FIVE,
    udp: true,
    play: (play) => {
      const random = new Random(5);
      for (let n = 0; n < 40; n++) {
        play.send(play.client(random.below(30), 5000 + random.below(3)));
        if (n === 20) play.edit(`${play.server(4)} -g -w 0`);
      }
      play.listings();
    },
  }));
}

/**
 * One of a hundred destinations is removed. The scene shows how many clients move in the kernel's
 * table.
 */
const hundred: Scene = {
  name: 'sched-mh-hundred',
  about: 'mh: 100 destinations, 400 clients, one destination is removed, then another one quiesced.',
  scheduler: 'mh -b mh-fallback',
  servers: Array.from({ length: 100 }, (_, i) => `${i + 1} -w 1`),
  play: (play) => {
    const all = (port: number) => {
      for (let n = 0; n < 400; n++) play.send({ ...play.client(n), address: `10.9.${n >> 4}.${1 + (n & 15)}`, port });
    };
    all(1000);
    play.run(`-d ${play.service} -r ${play.server(50)}`);
    all(1001);
    play.edit(`${play.server(77)} -g -w 0`);
    all(1002);
  },
};

const CURSOR = ['rr', 'wrr'] as const;
const LOAD = ['lc', 'wlc', 'sed', 'nq', 'fo', 'ovf'] as const;

export const specialScenes: readonly Scene[] = [
  ...flagScenes(),
  ...orderScenes([...CURSOR, ...LOAD, 'dh', 'lblc', 'lblcr']),
  ...fullScenes([...CURSOR, ...LOAD]),
  ...localityScenes(),
  hundred,
  ...udpScenes(),
];
