/**
 * Wide random scenarios, with seeds from 1000 on: IPv6 and mixed families, SCTP, marks, port 0,
 * thresholds, weights of 0, all tunnels, services that change, fragments, ICMP errors from all
 * sides, more sysctls. Traffic comes in three bursts:
 *
 *     s    2.5──5.5   20        22──25   40        102──105   120       269
 *          traffic    counters  traffic  counters  traffic    counters  the end
 *
 * No timer (2, 3, 4, 10, 15, 30, 40, 60, 61, 120, 300 s) ends in a burst or just before a listing,
 * so the late timer wheel of the kernel makes no difference.
 */
import { Random } from '../../../support/seed.js';
import { type Play, type Scene, VIP } from '../stage.js';
import { randomScene } from './narrow.js';
import { error } from './wide-errors.js';
import { newTalk, pieces, ping, request, response, type Talk } from './wide-packets.js';
import { rulesOf, type Service, someEdit, someService } from './wide-rules.js';

const FIRST_WIDE = 1000;
const BURST = 2000;
const BURSTS = [2500, 22_000, 102_000];
const END = 269_000;

const SYSCTLS: readonly (readonly [name: string, values: readonly number[]])[] = [
  ['conn_reuse_mode', [0, 1, 2, 3]],
  ['expire_nodest_conn', [1]],
  ['expire_quiescent_template', [1]],
  ['sloppy_tcp', [1]],
  ['sloppy_sctp', [1]],
  ['nat_icmp_send', [1]],
  ['pmtu_disc', [0]],
  ['schedule_icmp', [1]],
  ['secure_tcp', [3]],
  ['snat_reroute', [0]],
  ['cache_bypass', [1]],
  ['ignore_tunneled', [1]],
];
const MARKS: readonly NonNullable<Scene['mark']>[] = [
  { words: `-d ${VIP} -p tcp --dport 90:92`, nft: `ip daddr ${VIP} tcp dport 90-92`, mark: 1, besideVip: true },
  { words: `-d ${VIP} -p udp --dport 90:92`, nft: `ip daddr ${VIP} udp dport 90-92`, mark: 1, besideVip: true },
  { words: '-d 10.0.0.96/28', nft: 'ip daddr 10.0.0.96/28', mark: 1 },
];

/** Of any seed: below 1000 of the first kind. */
export function sceneOf(seed: number): Scene {
  return seed < FIRST_WIDE ? randomScene(seed) : wideScene(seed);
}

function wideScene(seed: number): Scene {
  const random = new Random(seed);
  const mark = random.below(5) === 0 ? random.pick(MARKS) : undefined;
  const vipless = mark !== undefined && !mark.besideVip;
  const families = vipless ? [false] : random.pick([[false], [false], [true], [false, true]]);
  const others = vipless ? 0 : 1 + random.below(3);
  const services = [
    ...(mark === undefined ? [] : [someService(random, 0, families, mark)]),
    ...Array.from({ length: others }, (_, i) => someService(random, i, families)),
  ];
  const sysctl = Object.fromEntries(
    SYSCTLS.filter(() => random.below(4) === 0).map(([name, values]) => [name, random.pick(values)]),
  );
  // What nobody wants would go to the VIP as a neighbour, whom nobody knows.
  if (vipless) delete sysctl.cache_bypass;
  if (random.below(10) === 0) Object.assign(sysctl, { am_droprate: random.between(2, 5), drop_packet: 3 });
  return {
    name: `random-${seed}`,
    about: `Random scenario ${seed}, wide.`,
    ...(families.includes(true) && { six: true }),
    ...(!vipless && { ownVip: true }),
    ...(mark !== undefined && { mark }),
    ...(Object.keys(sysctl).length > 0 && { sysctl }),
    rules: services.flatMap((one) => rulesOf(random, one)),
    play: (play) => perform(play, random, services),
  };
}

interface State {
  readonly talks: Talk[];
  /**
   * True when a datagram of this burst lacks a fragment. The kernel's late timers would end two
   * such datagrams in an order of their own.
   */
  hasLost: boolean;
}

function perform(play: Play, random: Random, services: readonly Service[]): void {
  const state: State = { talks: [], hasLost: false };
  for (const start of BURSTS) {
    state.hasLost = false;
    // The kernel's machine handles the first packet after a long sleep late, so a ping comes first.
    play.at(start - 200);
    ping(play, random, newTalk(random, services[0]!));
    play.at(start);
    while (play.time < start + BURST) event(play, random, services, state);
    look(play);
    play.at(start + 18_000 - (start === BURSTS[0] ? 500 : 0));
    play.run('ipvsadm -Ln --stats');
    // The kernel zeroes only what its last estimation, every 2 s, has summed. That holds for a
    // removed service, too. Without traffic it is the whole count.
    const { key, marked } = random.pick(services);
    if (random.below(2) === 0)
      play.run(random.pick(['ipvsadm -Z', `ipvsadm -Z ${key} 2>&1`, `ipvsadm -${marked ? 'Z' : 'D'} ${key} 2>&1`]));
  }
  play.at(END);
  look(play);
  for (const what of ['--stats', '--thresholds', '--persistent-conn']) play.run(`ipvsadm -Ln ${what}`);
}

function look(play: Play): void {
  play.run('ipvsadm -Lnc | sort');
  play.run('ipvsadm -Ln');
}

function event(play: Play, random: Random, services: readonly Service[], state: State): void {
  const { talks } = state;
  const opened = talks.length > 0 && random.below(3) > 0;
  // Rather one of the last: what is finished is left alone.
  const talk = opened
    ? talks[Math.max(0, talks.length - 1 - random.below(5))]!
    : newTalk(random, random.pick(services));
  if (!opened) talks.push(talk);
  const what = random.below(40);
  if (what < 18 || !opened) request(play, random, talk, opened);
  else if (what < 29) response(play, random, talk);
  else if (what < 33) error(play, random, talk);
  else if (what < 35) {
    const id = 100 + talks.length * 10 + random.below(10);
    if (pieces(play, random, talk, id, !state.hasLost)) state.hasLost = true;
  } else if (what < 36) ping(play, random, talk);
  else if (what < 38) play.run(someEdit(random, talk.service));
  else play.after(10 * random.below(20));
}
