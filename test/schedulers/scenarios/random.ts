/**
 * Random scenes from seeds: connections begin and end; destinations are edited, removed and added
 * between them.
 */
import { Random } from '../../support/seed.js';
import type { Client, Play, Scene } from './stage.js';

const STEPS = 130;
/** Schedulers to switch to and back: one with a cursor, one with a table. */
const OTHERS = ['wlc', 'sh'] as const;

interface Options {
  readonly seed: number;
  /** Destinations have thresholds, too. */
  readonly thresholds?: boolean;
  readonly marked?: boolean;
  readonly six?: boolean;
}

export function randomScene(name: string, scheduler: string, options: Options): Scene {
  const random = new Random(options.seed * 1000 + scheduler.length * 7 + scheduler.charCodeAt(0));
  const { thresholds = false, marked = false, six = false } = options;
  const kind = thresholds ? 'thresholds' : 'edits';
  return {
    name,
    about: `${scheduler}: random connections and ${kind} (seed ${options.seed}).`,
    scheduler,
    servers: [1, 2, 3, 4, 5].map((n) => `${n} ${wordsOf(random, thresholds)}`),
    marked,
    six,
    play: (play) => perform(play, random, scheduler, thresholds),
  };
}

function perform(play: Play, random: Random, scheduler: string, thresholds: boolean): void {
  const clients: Client[] = [];
  const pause = random.between(40, 90);
  for (let step = 0; step < STEPS; step++) {
    // By then all but established connections have expired, in the kernel's late timers, too.
    if (step === pause) play.wait(400_000);
    const what = random.below(100);
    if (what < 62 || clients.length === 0) clients.push(arrive(play, random, clients.length));
    else if (what < 72) play.send(random.pick(clients), 'A');
    else if (what < 84) play.send(random.pick(clients), 'FA');
    else if (what < 88) play.send(random.pick(clients), 'R');
    else command(play, random, scheduler, thresholds);
  }
  play.listings();
}

function arrive(play: Play, random: Random, n: number): Client {
  const client = play.client(random.below(40), 2000 + n, random.below(12));
  play.send(client);
  return client;
}

function command(play: Play, random: Random, scheduler: string, thresholds: boolean): void {
  const server = play.server(random.between(1, 6));
  const what = random.below(10);
  if (what < 5) play.edit(`${server} -g ${wordsOf(random, thresholds)}`);
  else if (what < 7) play.run(`-d ${play.service} -r ${server}`);
  else if (what < 9) play.run(`-a ${play.service} -r ${server} -g ${wordsOf(random, thresholds)}`);
  else changeAndBack(play, random, scheduler);
}

function changeAndBack(play: Play, random: Random, scheduler: string): void {
  const other = random.pick(OTHERS);
  play.run(`-E ${play.service} -s ${other}`);
  for (let i = random.below(3); i > 0; i--) play.send(play.client(random.below(40), 10_000 + random.below(9000)));
  play.run(`-E ${play.service} -s ${scheduler}`);
}

function wordsOf(random: Random, thresholds: boolean): string {
  const weight = `-w ${random.pick([0, 1, 1, 2, 3, 4, 6, 9])}`;
  if (!thresholds) return weight;
  const upper = random.pick([0, 2, 3, 5, 8]);
  const lower = random.below(upper + 1);
  return `${weight} -x ${upper} -y ${random.bool() ? lower : 0}`;
}
