/** The page of a recording: no director, only its packets. */
import { directorDrawing } from './drawing.js';
import { Packets } from './packets.js';
import type { Recording } from './types.js';

export function RecordedPage({ recording }: { recording: Recording }) {
  const { title, packets, left } = recording;
  return (
    <main>
      <h1>{title}</h1>
      <p class="status">
        {packets.length} packets{left > 0 && `; ${left} more are not in this file`}. Arrow keys: steps and packets;
        space: play.
      </p>
      {packets.length === 0 ? (
        <p>No packet matched.</p>
      ) : (
        <Packets packets={packets} drawing={directorDrawing(recording)} />
      )}
    </main>
  );
}
