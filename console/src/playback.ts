/** Where the reader is: which packet, which stage of its way; forwards, backwards, by itself. */
import { useEffect, useState } from 'preact/hooks';
import type { Followed } from './types.js';

/** Time of a stage when it plays by itself, ms. */
const STAGE_MS = 900;

export interface Playback {
  readonly packet: Followed | undefined;
  readonly stage: number;
  readonly playing: boolean;
  select(number: number): void;
  go(stage: number): void;
  /** By one stage; behind the last stage is the next packet, before the first one the one before. */
  move(by: 1 | -1): void;
  play(on: boolean): void;
}

interface Position {
  readonly number: number;
  readonly stage: number;
}

/** `stagesOf`: number of stages of a packet. */
export function usePlayback(packets: readonly Followed[], stagesOf: (packet: Followed) => number): Playback {
  const [wanted, setWanted] = useState<Position>({ number: 0, stage: 0 });
  const [playing, setPlaying] = useState(false);
  const { at, stage } = found(packets, stagesOf, wanted);
  const packet = packets[at];
  // From the position as it is then: keys may come faster than the page is drawn.
  const move = (by: 1 | -1) => setWanted((position) => moved(packets, stagesOf, position, by));
  const isAtEnd = packet === undefined || (at === packets.length - 1 && stage === stagesOf(packet) - 1);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => (isAtEnd ? setPlaying(false) : move(1)), STAGE_MS);
    return () => clearTimeout(timer);
  });
  return {
    packet,
    stage,
    playing,
    select: (number) => setWanted({ number, stage: 0 }),
    go: (to) => setWanted({ number: packet?.number ?? 0, stage: to }),
    move,
    play: setPlaying,
  };
}

/** A packet that is no longer there is replaced by the first one. */
function found(packets: readonly Followed[], stagesOf: (packet: Followed) => number, { number, stage }: Position) {
  const at = Math.max(
    0,
    packets.findIndex((one) => one.number === number),
  );
  const packet = packets[at];
  return { at, stage: Math.min(stage, packet === undefined ? 0 : stagesOf(packet) - 1) };
}

function moved(
  packets: readonly Followed[],
  stagesOf: (packet: Followed) => number,
  position: Position,
  by: 1 | -1,
): Position {
  const { at, stage } = found(packets, stagesOf, position);
  const [packet, next] = [packets[at], packets[at + by]];
  if (packet === undefined) return position;
  const to = stage + by;
  if (to >= 0 && to < stagesOf(packet)) return { number: packet.number, stage: to };
  if (next === undefined) return { number: packet.number, stage };
  return { number: next.number, stage: by > 0 ? 0 : stagesOf(next) - 1 };
}
