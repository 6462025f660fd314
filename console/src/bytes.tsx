/** The bytes of a frame, those that the director changed marked. */

const ROW = 16;
/** Bytes that are shown. */
const MOST = 160;
const ETHERNET = 14;

interface BytesProps {
  readonly title: string;
  readonly hex: string;
  /** The same frame before; its bytes are compared. */
  readonly before?: string | undefined;
}

export function Bytes({ title, hex, before }: BytesProps) {
  const bytes = hex.match(/../g) ?? [];
  const changed = before === undefined ? new Set<number>() : changes(before, hex);
  const rows = Array.from({ length: Math.ceil(Math.min(bytes.length, MOST) / ROW) }, (_, i) => i * ROW);
  const note = before === undefined ? '' : `, ${changed.size} changed`;
  return (
    <section class="bytes" aria-label={title}>
      <p class="caption">
        <b>{title}</b>{' '}
        <small>
          {bytes.length} bytes{note}
        </small>
      </p>
      <pre tabIndex={0} role="group" aria-label={`${title}, bytes`}>
        {rows.map((from) => (
          <span key={from} class="row">
            <span class="offset">{from.toString(16).padStart(4, '0')}</span>
            {bytes.slice(from, Math.min(from + ROW, MOST)).map((byte, i) => (
              <Byte key={i} byte={byte} isChanged={changed.has(from + i)} layer={layerOf(from + i)} />
            ))}
            {'\n'}
          </span>
        ))}
        {bytes.length > MOST && `… ${bytes.length - MOST} more`}
      </pre>
    </section>
  );
}

function Byte({ byte, isChanged, layer }: { byte: string; isChanged: boolean; layer: string }) {
  return isChanged ? <mark class={layer}>{byte}</mark> : <span class={layer}>{byte}</span>;
}

function layerOf(at: number): string {
  if (at < ETHERNET) return 'l2';
  return at < ETHERNET + 20 ? 'l3' : 'l4';
}

/**
 * The places of bytes that differ. The Ethernet headers are compared from the start, the rest from
 * the end: a header may have been put in front of the packet.
 */
export function changes(before: string, after: string): Set<number> {
  const [old, now] = [before.match(/../g) ?? [], after.match(/../g) ?? []];
  const shift = now.length - old.length;
  const changed = new Set<number>();
  now.forEach((byte, i) => {
    const from = i < ETHERNET ? i : i - shift;
    if (from < (i < ETHERNET ? 0 : ETHERNET) || old[from] !== byte) changed.add(i);
  });
  return changed;
}
