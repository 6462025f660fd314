/**
 * Scenes for all transitions of the TCP and SCTP state tables (docs/ipvs-reference.md sections 5,
 * 6) that a packet can cause. Each (state, direction, event) has a connection, which the fewest
 * possible packets bring into the state. At the end all connections are listed. The packets come
 * from the state tables of ulvs; the listing comes from the kernel.
 */
import { nextSctpState, SCTP_STATES } from '../../../src/conntrack/sctp.js';
import { nextTcpState, TCP_STATES } from '../../../src/conntrack/tcp.js';
import { ip, type Play, type Scene, VIP } from './stage.js';

const CLIENT = '10.0.0.1';
const SERVER = '192.168.1.11';
const INPUT = 0;
const OUTPUT = 1;
const INPUT_ONLY = 2;

/** One packet of a way: who sends it, and which event it is. */
interface Step<E> {
  readonly direction: number;
  readonly event: E;
}

/** The shortest way from nothing to each state, beginning with `first`. */
function ways<E>(
  count: number,
  steps: readonly Step<E>[],
  first: Step<E>,
  next: (state: number, step: Step<E>) => number,
): Map<number, Step<E>[]> {
  const found = new Map<number, Step<E>[]>([[next(0, first), [first]]]);
  for (let round = 0; round < count; round++)
    for (const [state, way] of [...found])
      for (const step of steps) {
        const to = next(state, step);
        if (!found.has(to)) found.set(to, [...way, step]);
      }
  return found;
}

/** All ways, each with each step behind it. */
function walks<E>(found: Map<number, Step<E>[]>, steps: readonly Step<E>[]): Step<E>[][] {
  return [...found.values()].flatMap((way) => steps.map((step) => [...way, step]));
}

const FLAGS = ['S', 'FA', 'A', 'R'] as const;
const BITS: Readonly<Record<string, number>> = { S: 2, FA: 0x11, A: 0x10, R: 4, SA: 0x12, P: 8 };

function tcpWalks(directions: readonly number[], secure: boolean): Step<string>[][] {
  const steps = directions.flatMap((direction) => FLAGS.map((event) => ({ direction, event })));
  const next = (state: number, { direction, event }: Step<string>) =>
    nextTcpState(state, direction, BITS[event]!, secure);
  return walks(ways(TCP_STATES.length, steps, { direction: directions[0]!, event: 'S' }, next), steps);
}

function tcp(play: Play, server: { port: number; answers: boolean }, all: Step<string>[][]): void {
  all.forEach((walk, i) => {
    const client = 5000 + i;
    for (const { direction, event } of walk) {
      if (direction !== OUTPUT)
        play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: client, dport: 80, flags: event, seq: i }));
      else if (server.answers)
        play.from(SERVER, (eth) =>
          ip(eth, SERVER, CLIENT).tcp({ sport: server.port, dport: client, flags: event, seq: i }),
        );
    }
  });
  play.run('ipvsadm -Lnc | sort');
  play.run('ipvsadm -Ln');
}

const METHODS = [
  ['masq', `-r ${SERVER}:8080 -m`],
  ['dr', `-r ${SERVER} -g`],
  ['tun', `-r ${SERVER} -i`],
] as const;

const tcpScenes: Scene[] = METHODS.flatMap(([name, words]) =>
  [0, 3].map(
    (secure): Scene => ({
      name: `state-tcp-${name}${secure ? '-secure' : ''}`,
      about: `Every TCP transition, ${name}${secure ? ', secure_tcp=3' : ''}.`,
      rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 ${words}`],
      ...(secure && { sysctl: { secure_tcp: 3 } }),
      play: (play) => {
        const masq = name === 'masq';
        const all = tcpWalks(masq ? [INPUT, OUTPUT] : [INPUT_ONLY], secure !== 0);
        // CLOSE lasts 10 s and frames come 10 ms apart: in pieces, each with its listing.
        for (let i = 0; i < all.length; i += 60) tcp(play, { port: 8080, answers: masq }, all.slice(i, i + 60));
      },
    }),
  ),
);

/**
 * Chunk types in the order of the events in the table: data, init, init-ack, cookie-echo,
 * cookie-ack, shutdown …
 */
const CHUNKS = [0, 1, 2, 10, 11, 7, 8, 14, 9, 6] as const;

function sctpWalks(directions: readonly number[]): Step<number>[][] {
  const steps = directions.flatMap((direction) => CHUNKS.map((event) => ({ direction, event })));
  const next = (state: number, { direction, event }: Step<number>) => nextSctpState(state, direction, event, -1);
  return walks(ways(SCTP_STATES.length, steps, { direction: directions[0]!, event: 1 }, next), steps);
}

function chunk(type: number) {
  return { type, value: new Uint8Array(type === 1 || type === 2 ? 16 : 4) };
}

function sctp(play: Play, port: number, all: Step<number>[][], base: number): void {
  all.forEach((walk, i) => {
    const client = base + i;
    for (const { direction, event } of walk) {
      if (direction !== OUTPUT)
        play.from(CLIENT, (eth) =>
          ip(eth, CLIENT, VIP).sctp({ sport: client, dport: 80, tag: i, chunks: [chunk(event)] }),
        );
      else
        play.from(SERVER, (eth) =>
          ip(eth, SERVER, CLIENT).sctp({ sport: port, dport: client, tag: i, chunks: [chunk(event)] }),
        );
    }
  });
  play.run('ipvsadm -Lnc | sort');
  play.run('ipvsadm -Ln');
}

/** INIT1 and REJECTED last 4 s: a scene for each piece, so that none is over before the listing. */
const PIECE = 60;
const sctpScenes: Scene[] = METHODS.flatMap(([name, words]) => {
  const all = sctpWalks(name === 'masq' ? [INPUT, OUTPUT] : [INPUT_ONLY]);
  return Array.from(
    { length: Math.ceil(all.length / PIECE) },
    (_, i): Scene => ({
      name: `state-sctp-${name}-${i + 1}`,
      about: `SCTP transitions, ${name}, part ${i + 1}.`,
      rules: [`-A --sctp-service ${VIP}:80 -s rr`, `-a --sctp-service ${VIP}:80 ${words}`],
      play: (play) => sctp(play, 8080, all.slice(i * PIECE, (i + 1) * PIECE), 5000),
    }),
  );
});

/** A state's time ends without another packet; 2 s more for the kernel's wheel. */
const ends: Scene[] = [
  ['synrecv', ['S'], 60],
  ['established', ['S', 'A'], 900],
  ['finwait', ['S', 'A', 'FA'], 120],
  ['close', ['S', 'A', 'R'], 10],
].map(
  ([name, flags, seconds]): Scene => ({
    name: `state-end-${name}`,
    about: `A DR connection's time in this state ends after ${seconds} s.`,
    rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${SERVER} -g`],
    play: (play) => {
      for (const event of flags as string[])
        play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000, dport: 80, flags: event }));
      play.at((seconds as number) * 1000 - 500);
      play.run('ipvsadm -Lnc');
      play.at((seconds as number) * 1000 + 17_000);
      play.run('ipvsadm -Lnc');
      play.run('ipvsadm -Ln');
    },
  }),
);

const flagless: Scene = {
  name: 'state-tcp-flagless',
  about: 'Segments with none of RST, SYN, FIN, ACK, and odd mixes; what is no SYN opens nothing unless sloppy_tcp.',
  rules: [`-A -t ${VIP}:80 -s rr`, `-a -t ${VIP}:80 -r ${SERVER}:8080 -m`],
  play: (play) => {
    ['P', 'U', 'SF', 'SR', 'FR', 'SAFR', 'SA', 'A', 'F', 'R'].forEach((flags, i) => {
      play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 5000 + i, dport: 80, flags }));
      play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 6000 + i, dport: 80, flags: 'S' }));
      play.from(CLIENT, (eth) => ip(eth, CLIENT, VIP).tcp({ sport: 6000 + i, dport: 80, flags }));
    });
    play.run('ipvsadm -Lnc | sort');
  },
};

const sloppy: Scene = {
  ...flagless,
  name: 'state-tcp-sloppy',
  about: 'sloppy_tcp=1: any segment but a RST opens a connection.',
  sysctl: { sloppy_tcp: 1 },
};

export const stateScenes: Scene[] = [...tcpScenes, ...sctpScenes, ...ends, flagless, sloppy];
