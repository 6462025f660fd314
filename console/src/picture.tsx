/** A drawing as SVG, with a packet on its way. */
import type { Drawing, Place } from './drawing.js';

/** A packet at a place of the drawing. */
export interface Token {
  readonly place: string;
  readonly dropped: boolean;
  readonly label: string;
}

interface PictureProps {
  readonly drawing: Drawing;
  readonly title: string;
  readonly token?: Token | undefined;
}

export function Picture({ drawing, title, token }: PictureProps) {
  const { width, height, places, wires, left } = drawing;
  return (
    <figure class="picture">
      <div class="scroll" tabIndex={0} role="group" aria-label={`${title}, drawing`}>
        <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${title}: ${inWords(places)}`}>
          {places
            .filter(({ kind }) => kind === 'director')
            .map((place) => (
              <Box key={place.id} place={place} />
            ))}
          {wires.map((wire) => (
            <path
              key={wire.id}
              class={`wire ${wire.tone}${wire.dashed ? ' dashed' : ''}`}
              d={wire.path}
              stroke-width={wire.width.toFixed(1)}
            />
          ))}
          {wires.map((wire) => (
            <text key={wire.id} class="wire-label" x={wire.x} y={wire.y}>
              {wire.label}
            </text>
          ))}
          {places
            .filter(({ kind }) => kind !== 'director')
            .map((place) => (
              <Box key={place.id} place={place} here={place.id === token?.place} />
            ))}
          {token !== undefined && <Packet token={token} places={places} />}
        </svg>
      </div>
      {left !== '' && <figcaption>{left}</figcaption>}
    </figure>
  );
}

function Box({ place, here = false }: { place: Place; here?: boolean }) {
  const { kind, x, y, w, h, title, sub, tone } = place;
  const middle = x + w / 2;
  return (
    <g class={`place ${kind} ${tone}${here ? ' here' : ''}`}>
      <rect x={x} y={y} width={w} height={h} rx={kind === 'segment' ? 6 : 9} />
      <text class="title" x={middle} y={kind === 'segment' ? y - 6 : y + 20}>
        {fitting(title, w)}
      </text>
      {sub !== '' && (
        <text class="sub" x={middle} y={y + 37}>
          {fitting(sub, w)}
        </text>
      )}
    </g>
  );
}

/** A text that is too long for its box loses its end. */
function fitting(text: string, width: number): string {
  const most = Math.floor(width / 6.6);
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}

function Packet({ token, places }: { token: Token; places: readonly Place[] }) {
  const place = places.find(({ id }) => id === token.place);
  if (place === undefined) return null;
  const [x, y] = [place.x + place.w / 2, place.y + (place.kind === 'segment' ? 6 : place.h)];
  return (
    <g class={`packet${token.dropped ? ' dropped' : ''}`} style={{ transform: `translate(${x}px, ${y}px)` }}>
      <circle r="11" />
      <path d={token.dropped ? 'M-5 -5 L5 5 M5 -5 L-5 5' : 'M-6 -4 h12 v8 h-12 z M-6 -4 L0 1 L6 -4'} />
    </g>
  );
}

function inWords(places: readonly Place[]): string {
  const boxes = places.filter(({ kind }) => kind !== 'segment').map(({ title, sub }) => `${title} (${sub})`);
  return boxes.slice(0, 30).join('; ');
}
