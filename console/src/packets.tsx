/**
 * Packets on their way: the list, the drawing with the packet in it, the steps of the trace beside
 * it, and the bytes before and after.
 */
import { useEffect, useRef } from 'preact/hooks';
import { Bytes } from './bytes.js';
import type { Drawing } from './drawing.js';
import { labRoute } from './lab-drawing.js';
import { Picture } from './picture.js';
import { type Playback, usePlayback } from './playback.js';
import { type Route, routeOf, type Stage, stagesOf } from './stages.js';
import type { Followed, LabDrawing, StepView } from './types.js';

interface PacketsProps {
  readonly packets: readonly Followed[];
  readonly drawing: Drawing;
  readonly lab?: LabDrawing | undefined;
}

export function Packets({ packets, drawing, lab }: PacketsProps) {
  const stages = (packet: Followed) => stagesOf(packet, wayOf(packet, drawing, lab), drawing);
  const playback = usePlayback(packets, (packet) => stages(packet).length);
  const { packet, stage } = playback;
  useKeys(playback, packets);
  if (packet === undefined) return null;
  const all = stages(packet);
  const here = all[stage]!;
  const isLost = packet.dropped && stage === all.length - 1;
  return (
    <div class="follow">
      <PacketList packets={packets} playback={playback} />
      <div class="stage">
        <Controls playback={playback} count={all.length} />
        <Picture
          drawing={drawing}
          title="way of the packet"
          token={{ place: here.place, dropped: isLost, label: here.label }}
        />
        <p class="now" aria-live="polite">
          <b>{here.label}</b> {here.text}
        </p>
      </div>
      <Steps stages={all} playback={playback} />
      <Frames packet={packet} stage={here} />
    </div>
  );
}

function wayOf(packet: Followed, drawing: Drawing, lab: LabDrawing | undefined): Route {
  if (lab !== undefined) return labRoute(lab, packet);
  return routeOf(drawing, { ...packet, sent: packet.out.some(({ originated }) => !originated) });
}

/** The key means something else where the focus is. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  const own = key === ' ' ? 'input, select, dialog, button, a' : 'input, select, dialog';
  return target instanceof HTMLElement && target.closest(own) !== null;
}

/** Arrows: steps and packets. Space: by itself. */
function useKeys(playback: Playback, packets: readonly Followed[]): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (isTaken(event)) return;
      const at = packets.findIndex(({ number }) => number === playback.packet?.number);
      const act: Record<string, () => void> = {
        ArrowRight: () => playback.move(1),
        ArrowLeft: () => playback.move(-1),
        ArrowDown: () => packets[at + 1] && playback.select(packets[at + 1]!.number),
        ArrowUp: () => packets[at - 1] && playback.select(packets[at - 1]!.number),
        ' ': () => playback.play(!playback.playing),
      };
      if (act[event.key] === undefined) return;
      event.preventDefault();
      act[event.key]!();
    };
    addEventListener('keydown', listen);
    return () => removeEventListener('keydown', listen);
  });
}

function PacketList({ packets, playback }: { packets: readonly Followed[]; playback: Playback }) {
  const first = packets[0]?.at ?? 0;
  return (
    <section class="packet-list" aria-label="packets">
      <ol>
        {packets.map((packet) => {
          const isHere = packet.number === playback.packet?.number;
          return (
            <li key={packet.number}>
              <button
                type="button"
                class={packet.dropped ? 'dropped' : ''}
                aria-current={isHere}
                onClick={() => playback.select(packet.number)}
              >
                <span class="time">+{((packet.at - first) / 1000).toFixed(3)} s</span>{' '}
                <span class="device">{packet.device}</span> <span class="verdict">{packet.verdict.split(':')[0]}</span>
                <span class="frame">{inShort(packet.frame)}</span>
              </button>
            </li>
          );
        })}
      </ol>
    </section>
  );
}

/** Without MAC addresses and the fields of the IP header. */
function inShort(frame: string): string {
  return frame.replace(/^\S+ > \S+ /, '').replace(/^IP6? \([^)]*\) /, '');
}

function Controls({ playback, count }: { playback: Playback; count: number }) {
  const { stage, playing } = playback;
  return (
    <div class="controls" role="toolbar" aria-label="steps">
      <button type="button" onClick={() => playback.move(-1)} aria-label="step back" title="step back (left arrow)">
        ◀
      </button>
      <button type="button" onClick={() => playback.play(!playing)} aria-pressed={playing} title="space">
        {playing ? 'Pause' : 'Play'}
      </button>
      <button
        type="button"
        onClick={() => playback.move(1)}
        aria-label="step forward"
        title="step forward (right arrow)"
      >
        ▶
      </button>
      <span class="count">
        step {stage + 1} of {count}
      </span>
    </div>
  );
}

function Steps({ stages, playback }: { stages: readonly Stage[]; playback: Playback }) {
  const current = useRef<HTMLLIElement>(null);
  useEffect(() => {
    const [item, list] = [current.current, current.current?.parentElement];
    if (item && list) list.scrollTop = item.offsetTop - list.clientHeight / 2;
  }, [playback.stage, playback.packet]);
  return (
    <section class="steps" aria-label="what the director does, and why">
      <ol tabIndex={-1}>
        {stages.map((stage, i) => (
          <li key={i} ref={i === playback.stage ? current : null} class={i > playback.stage ? 'later' : ''}>
            <button
              type="button"
              aria-current={i === playback.stage ? 'step' : undefined}
              onClick={() => playback.go(i)}
            >
              <span class="label">{stage.label}</span> <span class="text">{stage.text}</span>
            </button>
            {stage.step?.candidates !== undefined && <Candidates step={stage.step} />}
            {(stage.out?.changes.length ?? 0) > 0 && stage.label.startsWith('out') && (
              <ul class="changes">
                {stage.out!.changes.map((change) => (
                  <li key={change}>{change}</li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Candidates({ step }: { step: StepView }) {
  return (
    <table class="candidates">
      <caption>what the scheduler chose from</caption>
      <thead>
        <tr>
          <th scope="col">real server</th>
          <th scope="col">weight</th>
          <th scope="col">active</th>
          <th scope="col">inactive</th>
        </tr>
      </thead>
      <tbody>
        {step.candidates!.map(({ dest, weight, active, inactive, overloaded }) => (
          <tr key={dest} class={dest === step.chosen ? 'chosen' : ''}>
            <th scope="row">
              {dest === step.chosen && '✔ '}
              {dest}
              {weight === 0 ? ' (quiesced)' : overloaded ? ' (overloaded)' : ''}
            </th>
            <td>{weight}</td>
            <td>{active}</td>
            <td>{inactive}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Frames({ packet, stage }: { packet: Followed; stage: Stage }) {
  return (
    <div class="frames">
      <Bytes title="as it came" hex={packet.hex} />
      {stage.out !== undefined && (
        <Bytes
          title={stage.out.originated ? 'made by the director' : 'as it left'}
          hex={stage.out.hex}
          before={stage.out.originated ? undefined : packet.hex}
        />
      )}
    </div>
  );
}
