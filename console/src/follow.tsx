/** The page "Follow": a filter begins a trace, and its packets are shown as they come. */
import { useEffect, useState } from 'preact/hooks';
import { directorDrawing } from './drawing.js';
import { get, post } from './http.js';
import { labDrawing } from './lab-drawing.js';
import { Packets } from './packets.js';
import { tonesOf } from './tones.js';
import type { About, Followed, Snapshot } from './types.js';

interface FollowProps {
  readonly snapshot: Snapshot;
  readonly about: About;
  /** From the address of the page: what another page asked to follow. */
  readonly filter: string;
}

/** Packets that one trace records. */
const COUNT = 500;
/** Packets that the page keeps, as the server. */
const KEPT = 500;

export function FollowPage({ snapshot, about, filter }: FollowProps) {
  const packets = usePackets(snapshot);
  const [words, setWords] = useState(filter);
  const [dropsOnly, setDropsOnly] = useState(false);
  const [message, setMessage] = useState('');
  useEffect(() => setWords(filter), [filter]);
  const { follow } = snapshot;
  const attempt = (work: Promise<unknown>) =>
    work.then(
      () => setMessage(''),
      (error: Error) => setMessage(error.message),
    );
  const start = () => attempt(post('/api/follow', { filter: words, dropsOnly, count: COUNT }));
  const request = () =>
    attempt(
      post<{ answer: string }>('/api/lab/request').then(({ answer }) => {
        setTimeout(() => setMessage(`the client got: ${answer}`));
      }),
    );
  const drawing =
    about.lab === undefined
      ? directorDrawing({ services: snapshot.services, devices: snapshot.status.devices, routes: snapshot.routes })
      : labDrawing(about.lab, tonesOf(snapshot, about.lab));
  const isOperator = about.role === 'operator';
  return (
    <section>
      <h2>Follow a packet</h2>
      <form
        class="bar"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <label>
          Filter{' '}
          <input
            name="filter"
            value={words}
            placeholder="tcp port 80 and host 10.0.0.1"
            onInput={(event) => setWords(event.currentTarget.value)}
          />
        </label>
        <label class="check">
          <input type="checkbox" checked={dropsOnly} onChange={(event) => setDropsOnly(event.currentTarget.checked)} />{' '}
          dropped only
        </label>
        <button type="submit" class="primary" disabled={!isOperator}>
          Follow
        </button>
        {follow.active && (
          <button type="button" onClick={() => void attempt(post('/api/follow/stop'))} disabled={!isOperator}>
            Stop
          </button>
        )}
        {about.lab !== undefined && (
          <button type="button" onClick={() => void request()} disabled={!isOperator}>
            Send a request from the client
          </button>
        )}
      </form>
      <p role="status" class="status">
        {message ||
          (follow.active
            ? `following ${follow.filter || 'every packet'}: ${packets.length} so far`
            : packets.length > 0
              ? `${packets.length} packets; the trace has ended`
              : 'A filter is in tcpdump’s language. Nothing is followed yet.')}
      </p>
      {packets.length > 0 && <Packets packets={packets} drawing={drawing} lab={about.lab} />}
    </section>
  );
}

/** The packets of the trace. A snapshot says whether there are more; those that are new are asked for. */
function usePackets({ follow: { first, last, active } }: Snapshot): readonly Followed[] {
  const [packets, setPackets] = useState<readonly Followed[]>([]);
  // A server that has started again counts from 1 again.
  const known = packets.filter(({ number }) => number >= first && number <= last);
  const after = known.at(-1)?.number ?? first - 1;
  useEffect(() => {
    let isCurrent = true;
    void get<{ packets: Followed[] }>('/api/packets', { after }).then(
      (answer) => isCurrent && setPackets([...known, ...answer.packets].slice(-KEPT)),
      () => {},
    );
    return () => {
      isCurrent = false;
    };
  }, [first, last, active]);
  return known;
}
