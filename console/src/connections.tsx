/** The page "Connections": a search in all of them, page by page, and the course of one. */
import { useEffect, useState } from 'preact/hooks';
import { Dialog } from './dialog.js';
import { get } from './http.js';
import { clock, duration, endpoint, protocolName, short } from './text.js';
import type { FoundConnection } from './types.js';

interface Page {
  readonly connections: readonly FoundConnection[];
  readonly total: number;
  readonly rows: number;
  readonly ms: number;
}

/** Time between two searches, ms. */
const AGAIN_MS = 3000;
const TYPING_MS = 250;

export function ConnectionsPage() {
  const [query, setQuery] = useState('');
  const [offset, setOffset] = useState(0);
  const [chosen, setChosen] = useState<FoundConnection>();
  const { page, trouble } = useSearch(query, offset);
  const rows = page?.rows ?? 1;
  return (
    <section>
      <h2>Connections</h2>
      <form class="bar" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Search{' '}
          <input
            type="search"
            name="query"
            value={query}
            placeholder="tcp client:10.0.0.0/8 dest:192.168.1.11 ESTABLISHED"
            onInput={(event) => {
              setQuery(event.currentTarget.value);
              setOffset(0);
            }}
          />
        </label>
      </form>
      <p class="hint">
        Words that all must match: an address, a network, a port, address:port; with client:, vip: or dest: on that side
        only; tcp, udp, sctp; a state; synced, template; a part of a template’s key, such as a SIP Call-ID.
      </p>
      <p role="status" class="status">
        {trouble || (page === undefined ? 'searching …' : `${short(page.total)} of them, found in ${page.ms} ms`)}
      </p>
      <Table connections={page?.connections ?? []} choose={setChosen} />
      <p class="actions">
        <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - rows))}>
          Page before
        </button>
        <button type="button" disabled={offset + rows >= (page?.total ?? 0)} onClick={() => setOffset(offset + rows)}>
          Next page
        </button>
      </p>
      {chosen !== undefined && <Course connection={chosen} onClose={() => setChosen(undefined)} />}
    </section>
  );
}

function useSearch(query: string, offset: number): { page: Page | undefined; trouble: string } {
  const [state, setState] = useState<{ page: Page | undefined; trouble: string }>({ page: undefined, trouble: '' });
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    let isCurrent = true;
    const search = async () => {
      try {
        const page = await get<Page>('/api/connections', { q: query, offset });
        if (isCurrent) setState({ page, trouble: '' });
      } catch (error) {
        if (isCurrent) setState((old) => ({ ...old, trouble: (error as Error).message }));
      }
      if (isCurrent) timer = setTimeout(search, AGAIN_MS);
    };
    timer = setTimeout(search, TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [query, offset]);
  return state;
}

interface TableProps {
  readonly connections: readonly FoundConnection[];
  readonly choose: (connection: FoundConnection) => void;
}

function Table({ connections, choose }: TableProps) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="connections">
      <table>
        <thead>
          <tr>
            <th scope="col">Protocol</th>
            <th scope="col">Client</th>
            <th scope="col">Virtual</th>
            <th scope="col">Real server</th>
            <th scope="col">State</th>
            <th scope="col" class="number">
              Packets
            </th>
            <th scope="col" class="number">
              Ends in
            </th>
            <th scope="col">Key</th>
          </tr>
        </thead>
        <tbody>
          {connections.map((one) => (
            <tr key={one.at}>
              <td>{protocolName(one.protocol)}</td>
              <td>
                <button type="button" class="link" onClick={() => choose(one)}>
                  {endpoint(one.caddr, one.cport)}
                </button>
              </td>
              <td>{endpoint(one.vaddr, one.vport)}</td>
              <td>{endpoint(one.daddr, one.dport)}</td>
              <td>{one.state}</td>
              <td class="number">{short(one.packets)}</td>
              <td class="number">{duration(one.expires)}</td>
              <td class="key">{one.peData}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Event {
  readonly at: number;
  readonly text: string;
}

const LOOK_MS = 500;

/** The states of one connection from now on, and its packets. */
function Course({ connection, onClose }: { connection: FoundConnection; onClose: () => void }) {
  const [events, setEvents] = useState<readonly Event[]>([{ at: Date.now(), text: connection.state }]);
  const [now, setNow] = useState<FoundConnection | null>(connection);
  useEffect(() => {
    let last: FoundConnection | null = connection;
    const timer = setInterval(() => {
      void get<{ connection: FoundConnection | null }>('/api/connection', { at: connection.at }).then((answer) => {
        const found = isSame(answer.connection, connection) ? answer.connection : null;
        if (found?.state !== last?.state) {
          const text = found?.state ?? 'ended';
          setEvents((old) => [...old, { at: Date.now(), text }]);
        }
        last = found;
        setNow(found);
      });
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [connection]);
  const { caddr, cport, vaddr, vport, daddr, dport } = connection;
  const filter = `host ${caddr} and port ${cport}`;
  return (
    <Dialog title={`${protocolName(connection.protocol)} ${endpoint(caddr, cport)}`} onClose={onClose}>
      <p>
        {endpoint(caddr, cport)} → {endpoint(vaddr, vport)} → {endpoint(daddr, dport)}
      </p>
      <p>
        {now === null
          ? 'It has ended.'
          : `${now.packets} packets from the client, ends in ${duration(now.expires)} without more`}
      </p>
      <ol class="timeline">
        {events.map(({ at, text }) => (
          <li key={at}>
            <time>{clock(at)}</time> {text}
          </li>
        ))}
      </ol>
      <p class="actions">
        <a class="button primary" href={`#/follow/${encodeURIComponent(filter)}`} onClick={onClose}>
          Follow its packets
        </a>
      </p>
    </Dialog>
  );
}

function isSame(one: FoundConnection | null, other: FoundConnection): boolean {
  return (
    one?.caddr === other.caddr && one.cport === other.cport && one.vaddr === other.vaddr && one.vport === other.vport
  );
}
