/** One trial of an outage: a load, an event some times, and what became of the load. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../median.js';
import type { BedOptions, LoadSize } from './config.js';
import type { OutageEvent } from './events.js';
import type { Report } from './measure.js';
import { socketDrops } from './socket-drops.js';
import type { Stalls } from './stall.js';
import { OutageBed } from './testbed.js';

/** What became of the connections by one interface, over all rounds. */
export interface PathResult {
  readonly lost: number;
  readonly wrong: number;
  readonly downloads: number;
  /** Longest gaps, ms. */
  readonly downloadGap: number;
  readonly flowGap: number;
  /** Of the longest gap of each round, the median, ms: in any flow, in any download. */
  readonly medianGap: number;
  readonly medianDownloadGap: number;
  readonly frames: number;
  readonly framesLost: number;
  readonly opened: number;
  readonly refused: number;
}

export interface Outcome {
  readonly event: string;
  readonly device: string;
  readonly method: string;
  readonly rounds: number;
  /** Longest gaps of one second before the event, ms: the testbed's own. */
  readonly before: { readonly downloadGap: number; readonly flowGap: number };
  /**
   * The longest times in which frames of clients came to the director and none left it, by round
   * (stall.ts); `before`: in one second before the event; `undone`: while it was undone, of events
   * that say how.
   */
  readonly stalls: { readonly before: Stalls; readonly rounds: readonly Stalls[]; readonly undone: readonly Stalls[] };
  readonly other: PathResult;
  readonly hit: PathResult;
  /** Of `framesLost`: datagrams that sockets of the client and the realserver dropped. */
  readonly socketDrops: number;
  /** Each download and the flows, by both interfaces, went on after the last round. */
  readonly goesOn: boolean;
  /** Of takeovers: from the request that the old process stops until the new one forwards, ms. */
  readonly pauses?: readonly number[];
  /** Of events that take a time that counts, by round, ms. */
  readonly took?: readonly number[];
  /** Lines of the director's log about it, then the warnings of its successors. */
  readonly log: readonly string[];
}

export interface TrialOptions extends BedOptions, LoadSize {
  readonly rounds: number;
}

/** Time after an event, ms: retransmissions of TCP come within it. */
const SETTLE = 2500;
const CALM = 1000;
/**
 * In this time after the last event each download must have gone on, ms: TCP waits up to 120 s when
 * all its repetitions met a director that was away.
 */
const GOES_ON = 180_000;

/** Tries one event in a testbed of its own. Rejects with a LabError or CommandError. */
export async function tryOutage(event: OutageEvent, options: TrialOptions): Promise<Outcome> {
  const bed = await OutageBed.build({ ...options, preload: event.preload });
  try {
    const stall = bed.watchStalls();
    await bed.load(options);
    await sleep(CALM);
    await bed.report();
    stall.take();
    await sleep(CALM);
    const [before0, before1] = await bed.report();
    const stalls = { before: stall.take(), rounds: [] as Stalls[], undone: [] as Stalls[] };
    const ends = [bed.namespace('client'), bed.namespace('server')];
    const dropped = await socketDrops(ends);
    bed.markLog();
    const reports: (readonly [Report, Report])[] = [];
    const took: number[] = [];
    for (let round = 0; round < options.rounds; round++) {
      const ms = await event.act(bed);
      if (typeof ms === 'number') took.push(Math.round(ms));
      if (event.undo !== undefined) {
        stalls.rounds.push(stall.take());
        await event.undo(bed);
      }
      await sleep(event.settle ?? SETTLE);
      reports.push(await bed.report());
      stalls[event.undo === undefined ? 'rounds' : 'undone'].push(stall.take());
    }
    const goesOn = await allGoOn(bed, event.loses ? undefined : options.downloads);
    return {
      event: event.name,
      device: options.device,
      method: options.method,
      rounds: options.rounds,
      before: {
        downloadGap: Math.max(before0.downloadGap, before1.downloadGap),
        flowGap: Math.max(before0.flowGap, before1.flowGap),
      },
      stalls,
      other: sumOf(
        reports.map(([other]) => other),
        event.loses,
      ),
      hit: sumOf(
        reports.map(([, hit]) => hit),
        event.loses,
      ),
      socketDrops: (await socketDrops(ends)) - dropped,
      goesOn,
      ...pausesIn(bed.successorLogs),
      ...(took.length > 0 && { took }),
      log: [...linesOf(bed.logged), ...warningsIn(bed.successorLogs)].map(({ msg }) => msg),
    };
  } finally {
    await bed.remove();
  }
}

/**
 * Resolves with whether every download gets bytes again, and the flows echoes. `downloads`: how
 * many there must be; undefined: some may be lost, and new connections must succeed.
 */
async function allGoOn(bed: OutageBed, downloads: number | undefined): Promise<boolean> {
  const begin = performance.now();
  for (;;) {
    await sleep(CALM);
    const since = performance.now() - begin;
    const reports = await bed.report();
    if (downloads !== undefined && reports.some(({ open }) => open !== downloads)) return false;
    const isBack = ({ silence, opened, refused }: Report) =>
      downloads === undefined ? opened > 0 && refused === 0 : silence < since;
    if (reports.every((report) => report.echoed > 0 && isBack(report))) return true;
    if (since > GOES_ON) return false;
  }
}

/** `loses`: a download that is silent at the end is lost. */
function sumOf(reports: readonly Report[], loses = false): PathResult {
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  const most = (of: (report: Report) => number) => Math.round(Math.max(...reports.map(of)));
  const last = reports.at(-1)!;
  return {
    lost: last.lost + (loses ? last.silent : 0),
    wrong: last.wrong,
    downloads: last.open + last.lost,
    downloadGap: most(({ downloadGap }) => downloadGap),
    flowGap: most(({ flowGap }) => flowGap),
    medianGap: Math.round(median(reports.map(({ flowGap }) => flowGap))),
    medianDownloadGap: Math.round(median(reports.map(({ downloadGap }) => downloadGap))),
    frames: sum(({ sent }) => sent),
    framesLost: Math.max(
      0,
      sum(({ sent, echoed }) => sent - echoed),
    ),
    opened: sum(({ opened }) => opened),
    refused: sum(({ refused }) => refused),
  };
}

function pausesIn(logs: readonly string[]): Pick<Outcome, 'pauses'> {
  if (logs.length === 0) return {};
  const lines = logs.flatMap((path) => linesOf(readFileSync(path, 'utf8')));
  return { pauses: lines.flatMap(({ msg, ms }) => (msg.startsWith('took over') && ms !== undefined ? [ms] : [])) };
}

/** pino's number of a warning. */
const WARN = 40;

function warningsIn(logs: readonly string[]): LogLine[] {
  return logs.flatMap((path) => linesOf(readFileSync(path, 'utf8'))).filter(({ level = 0 }) => level >= WARN);
}

interface LogLine {
  readonly msg: string;
  readonly level?: number;
  readonly ms?: number;
}

/** The lines of a log, which is JSON where no terminal reads it. */
function linesOf(log: string): LogLine[] {
  return log.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as LogLine];
    } catch {
      return [{ msg: line }];
    }
  });
}

/**
 * The trial is as it must be: nothing is lost by the other interface, and nothing for good by eth1.
 */
export function isPassed({ other, hit, goesOn }: Outcome, { all, loses }: OutageEvent, longest: number): boolean {
  const nothingLost = [other, hit].every(({ lost, wrong }) => (lost === 0 || loses === true) && wrong === 0);
  const noGap = all === true || (other.flowGap <= longest && other.refused === 0);
  return nothingLost && goesOn && noGap;
}
